"use strict";
(() => {
  const tools = document.querySelector(".tools");
  if (!tools) return;
  const cases = [...document.querySelectorAll("details.case")];
  const reason = document.getElementById("reason");
  const find = document.getElementById("find");
  const filter = () => {
    const words = find.value.trim().toLowerCase();
    for (const each of cases) {
      const fits = !reason || !reason.value || each.dataset.reasons.split(" ").includes(reason.value);
      each.hidden = !fits || (words !== "" && !each.textContent.toLowerCase().includes(words));
    }
  };
  if (reason) reason.addEventListener("change", filter);
  find.addEventListener("input", filter);
  const fold = (open) => cases.forEach((each) => { if (!each.hidden) each.open = open; });
  document.getElementById("open").addEventListener("click", () => fold(true));
  document.getElementById("close").addEventListener("click", () => fold(false));
  tools.hidden = false;
})();
