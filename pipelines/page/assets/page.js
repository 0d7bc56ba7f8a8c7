// Citation marks light their passage and sentence without asking the server.
(() => {
  let wanted = "";

  const light = () => {
    const card = wanted && document.querySelector(`#sources [data-id="${CSS.escape(wanted)}"]`);
    if (!card) return false;
    wanted = "";
    document.querySelectorAll("#sources .lit").forEach((each) => each.classList.remove("lit"));
    card.classList.add("lit");
    card.scrollIntoView({ block: "nearest" });
    const mark = card.querySelector("mark");
    const passage = card.querySelector(".passage");
    if (mark && passage) passage.scrollTop = mark.offsetTop - passage.offsetTop - 24;
    return true;
  };

  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest?.('a[href^="#cite-"]');
      if (link) {
        event.preventDefault();
        wanted = link.getAttribute("href").slice("#cite-".length);
        if (light()) event.stopPropagation(); // an older answer: its message is selected, and brings its evidence
      }
      if (event.target.closest?.("[data-close]") || event.target.classList?.contains("overlay")) {
        document.querySelectorAll(".overlay").forEach((each) => each.remove());
      }
    },
    true,
  );
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelectorAll(".overlay").forEach((each) => each.remove());
  });
  new MutationObserver(() => {
    if (wanted) light();
    const opened = document.querySelector(".overlay .quote, .overlay .lit-passage");
    if (opened && !opened.dataset.seen) {
      opened.dataset.seen = "1";
      opened.scrollIntoView({ block: "center" });
    }
  }).observe(document.documentElement, { childList: true, subtree: true });

  window.searchaskCopy = (text) => {
    const fallback = () => {
      const area = document.createElement("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    };
    if (navigator.clipboard && window.isSecureContext) navigator.clipboard.writeText(text).catch(fallback);
    else fallback();
  };
})();
