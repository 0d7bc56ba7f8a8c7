// What the page draws of its data. Every text becomes a text node: nothing that comes from a document, a model or
// a person is ever read as markup. (Gradio's own templates evaluate `${…}` inside the data.)
(() => {
  const h = (tag, attributes = {}, ...children) => {
    const svg = ["svg", "g", "path", "circle", "text", "title"].includes(tag);
    const element = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== "") element.setAttribute(name, value);
    }
    element.append(...children.flat().filter((child) => child !== undefined && child !== ""));
    return element;
  };
  const when = (text, tag, attributes) => (text ? [h(tag, attributes, text)] : []);

  const grid = ({ head = [], rows = [], note = "" }) => [
    ...when(note, "p", { class: "note" }),
    ...(rows.length
      ? [
          h("div", { class: "scroll" },
            h("table", { class: "grid" },
              h("thead", {}, h("tr", {}, head.map((text) => h("th", { scope: "col" }, text)))),
              h("tbody", {}, rows.map((row) => h("tr", {}, row.map((text) => h("td", { class: text.length < 26 ? "short" : "" }, text))))))),
        ]
      : []),
  ];

  const card = (tag, titled, each) =>
    h(tag, { class: `card ${each.cited ? "cited" : ""}` },
      h(titled, {},
        h("b", { class: "number" }, each.label),
        h("span", { class: "document" }, each.document),
        h("button", { type: "button", class: "open", "data-pick": each.id, "aria-label": each.open, title: each.open }, "⤢")),
      ...when(each.place, "p", { class: "place" }),
      h("div", { class: "passage", tabindex: "0" },
        each.pieces.map(({ text, ids }) => (ids ? h("mark", { "data-ids": ids }, text) : text))),
      ...when(each.found, "p", { class: "found" }));

  const plot = (points, question, note) =>
    h("svg", { class: "map", viewBox: "-20 -20 1040 1040", role: "img", "aria-label": note },
      points.map((each) => h("circle",
        { class: `${each.kind} c${each.colour}`, "data-pick": each.node, cx: each.x, cy: each.y, r: 8 },
        h("title", {}, each.document))),
      question
        ? h("g", { class: "cross" },
            h("path", { d: `M${question.x} ${question.y} m-18 0 h36 m-18 -18 v36` }), h("title", {}, question.text))
        : "");

  // A term in the middle, what is named with it on both sides, the strongest nearest to it.
  const ROW = 44, WIDE = 560;
  const shortened = (text, most) => {
    let room = most;
    const kept = [...text].filter((letter) => (room -= letter > "\u2e80" ? 2 : 1) >= 0);
    return kept.length < [...text].length ? `${kept.slice(0, -1).join("")}…` : text;
  };
  const spokes = (term, neighbours) => {
    const [above, below] = [0, 2].map((before) => Math.max(1, Math.ceil((neighbours.length - before) / 4)) * ROW + 26);
    const around = neighbours.map((each, number) => {
      const right = number % 2, under = Math.floor(number / 2) % 2, step = Math.floor(number / 4);
      const y = above + (under ? 1 : -1) * (ROW / 2 + 14 + step * ROW), x = right ? 352 : WIDE - 352;
      return h("g", { class: `spoke ${each.tied ? "tied" : ""}`, role: "button", tabindex: "0", "data-pick": `term:${each.term}` },
        h("path", { d: `M${WIDE / 2} ${above} Q${(x + WIDE / 2) / 2} ${y} ${x} ${y}`, "stroke-width": 1.5 + 4 * each.share }),
        h("circle", { cx: x, cy: y, r: 5 }),
        h("text", { x: right ? x + 11 : x - 11, y: y + 6, "text-anchor": right ? "start" : "end" }, shortened(each.term, 21)),
        h("title", {}, each.title));
    });
    return h("svg", { class: "around", viewBox: `0 0 ${WIDE} ${above + below}`, role: "group", "aria-label": term },
      around,
      h("text", { class: "centre", x: WIDE / 2, y: above + 7, "text-anchor": "middle" }, shortened(term, 34), h("title", {}, term)));
  };

  const views = {
    table: grid,

    sources: ({ none, notes = [], cited, read }) => [
      ...when(none, "p", { class: "band" }),
      ...notes.map((text) => h("p", { class: "note" }, text)),
      ...cited.map((each) => card("article", "header", each)),
      ...read.map((each) => card("details", "summary", each)),
    ],

    document: (value) => value.open
      ? [
          h("div", { class: "overlay" },
            h("section", { class: "sheet", role: "dialog", "aria-modal": "true", "aria-label": value.document },
              h("header", {},
                h("h2", {}, value.document),
                h("button", { type: "button", "data-close": "1" }, `${value.close} ✕`)),
              ...when(value.place, "p", { class: "place" }),
              ...when(value.notice, "p", { class: "note" }),
              ...(value.picture ? [h("img", { class: "scan", alt: value.place, src: value.picture })] : []),
              h("div", { class: "text" },
                value.before, value.pre,
                h("span", { class: "lit-passage" },
                  value.passage_before, ...when(value.quote, "mark", { class: "quote" }), value.passage_after),
                value.post, value.after))),
        ]
      : [],

    progress: ({ headline, percent, tables = [] }) => headline
      ? [
          h("div", { class: "progress", role: "status" },
            h("p", { class: "headline" }, headline),
            h("div", { class: "track" }, h("div", { class: "fill", style: `width:${percent}` }))),
          ...tables.flatMap(grid),
        ]
      : [],

    preview: ({ note, remarks = [], segments = [] }) => [
      ...when(note, "p", { class: "place" }),
      ...remarks.map((text) => h("p", { class: "note" }, text)),
      ...(segments.length
        ? [
            h("div", { class: "text chunks" },
              segments.flatMap(({ label, kind, text }) => [
                ...when(label, "b", { class: "edge" }), h("span", { class: kind }, text),
              ])),
          ]
        : []),
    ],

    matrix: ({ note, about, names = [], tokens, rows = [] }) => note
      ? [
          h("p", { class: "note calm" }, note),
          h("div", { class: "scroll" },
            h("table", { class: "grid matrix" },
              h("thead", {}, h("tr", {}, ["", ...names, tokens].map((text) => h("th", { scope: "col" }, text)))),
              h("tbody", {}, rows.map((row) => h("tr", {},
                h("th", { scope: "row" }, row.name),
                row.cells.map((cell) => h("td", { style: `--tint:${cell.tint}` }, cell.cosine)),
                h("td", {}, row.tokens)))))),
          h("p", { class: "place" }, about),
        ]
      : [],

    map: ({ note, points = [], question, legend = [] }) => note
      ? [
          ...(points.length ? [plot(points, question, note)] : []),
          h("p", { class: "place" }, note),
          h("ul", { class: "legend" }, legend.map((each) =>
            h("li", {}, h("i", { class: `c${each.colour}` }), `${each.document} (${each.chunks})`))),
        ]
      : [],

    around: ({ note, term, neighbours = [] }) => [
      ...when(note, "p", { class: "place" }),
      ...(neighbours.length ? [spokes(term, neighbours)] : []),
    ],

    // What a box offers while one types.
    offered: ({ terms = [] }) => {
      document.querySelector("#term input")?.setAttribute("list", "terms");
      return [h("datalist", { id: "terms" }, terms.map((term) => h("option", { value: term })))];
    },

    lists: ({ lists = [] }) => lists.flatMap(({ head, rows }) => [
      h("h3", { class: "head" }, head),
      h("ul", { class: "lines" }, rows.map((each) =>
        h("li", {}, h("button", { type: "button", "data-pick": `node:${each.node}` },
          h("b", {}, each.document), ...when(each.place, "span", { class: "place" }), ...when(each.text, "span"))))),
    ]),

    passage: ({ document, place, text }) => text
      ? [
          h("article", { class: "card cited" },
            h("header", {}, h("span", { class: "document" }, document)),
            ...when(place, "p", { class: "place" }),
            h("div", { class: "passage", tabindex: "0" }, text)),
        ]
      : [],
  };

  // Draw a component's value, now and whenever it changes; tell the server which row or piece was clicked.
  const show = (view, element, props, watch, trigger) => {
    const draw = () => {
      element.replaceChildren(...views[view](props.value || {}));
      element.querySelectorAll(".passage").forEach(toMark);
      light();
      element.querySelector("mark.quote, .lit-passage")?.scrollIntoView({ block: "center" });
    };
    element.addEventListener("click", (event) => {
      const picked = event.target.closest("[data-pick]");
      const row = event.target.closest("tbody tr");
      if (picked) {
        event.preventDefault();
        trigger("select", { index: 0, value: picked.dataset.pick });
      } else if (row) {
        trigger("select", { index: 0, value: [...row.children].map((cell) => cell.textContent) });
      } else if (event.target.closest("[data-close]") || event.target.classList.contains("overlay")) {
        element.replaceChildren();
      }
    });
    element.addEventListener("keydown", (event) => {
      const picked = event.key === "Enter" && event.target.closest('g[role="button"]');
      if (picked) trigger("select", { index: 0, value: picked.dataset.pick });
    });
    watch("value", draw);
    draw();
  };

  // A citation's mark lights its passage and sentence, without asking the server.
  let wanted = "";
  const toMark = (passage, mark = passage.querySelector("mark")) => {
    if (mark) passage.scrollTop = mark.offsetTop - 24;
  };
  const light = () => {
    const [mark, ...more] = wanted ? document.querySelectorAll(`#sources mark[data-ids~="${CSS.escape(wanted)}"]`) : [];
    if (!mark) return false;
    wanted = "";
    document.querySelectorAll("#sources .lit").forEach((each) => each.classList.remove("lit"));
    const found = mark.closest(".card");
    found.classList.add("lit");
    [mark, ...more].forEach((each) => each.classList.add("lit"));
    found.scrollIntoView({ block: "nearest" });
    toMark(mark.closest(".passage"), mark);
    return true;
  };
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('a[href^="#cite-"]');
    if (!link) return;
    event.preventDefault();
    wanted = link.getAttribute("href").slice("#cite-".length);
    // One of an older answer is lit once its evidence is back: the click goes on to select that answer.
    if (light()) event.stopPropagation();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll(".overlay").forEach((each) => each.remove());
  });

  const copy = (text) => {
    const fallback = () => {
      const area = h("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    };
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(text).catch(fallback);
    else fallback();
  };

  window.searchask = { show, copy };
})();
