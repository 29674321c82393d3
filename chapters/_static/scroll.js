// Boxes that scroll sideways can be reached by keyboard: code, outputs and formulas wider than the column.
(() => {
  "use strict";

  const BOXES = "pre, mjx-container[display='true'], div.cell_output .output, .table-wrap";
  // Folded boxes have no width until they are opened.
  const reach = (box) => {
    if (box.tabIndex !== 0 && (box.scrollWidth > box.clientWidth || box.closest("details"))) box.tabIndex = 0;
  };
  const all = () => document.querySelectorAll(BOXES).forEach(reach);
  let waiting;
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(all, 200);
  };
  // The theme takes the stop from boxes that it measures before fonts and formulas have their width.
  const changed = (changes) => changes.forEach(({type, target}) => {
    if (type === "childList") later();
    else if (target.matches(BOXES)) reach(target);
  });

  window.addEventListener("load", () => {
    all();
    const told = {subtree: true, childList: true, attributeFilter: ["tabindex"]};
    new MutationObserver(changed).observe(document.getElementById("main-content"), told);
    document.fonts.ready.then(all);
    document.fonts.addEventListener("loadingdone", all);
    window.MathJax?.startup?.promise?.then(all);
  });
  window.addEventListener("resize", later);
  document.addEventListener("toggle", all, true);
})();
