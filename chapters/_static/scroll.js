// Boxes that scroll sideways can be reached by keyboard: code, outputs and formulas wider than the column.
(() => {
  "use strict";

  const BOXES = "pre, mjx-container[display='true'], div.cell_output > .output, .table-wrap";
  const reach = () => document.querySelectorAll(BOXES).forEach((box) => {
    if (box.scrollWidth > box.clientWidth || box.closest("details")) box.tabIndex = 0;
  });
  // The theme looks as well, and 300 ms after each change of the page takes the stop from boxes that it
  // measures before fonts and formulas have their width, or folded, when they have none.
  let waiting;
  const later = () => {
    clearTimeout(waiting);
    waiting = setTimeout(reach, 350);
  };

  window.addEventListener("load", () => {
    reach();
    later();
    new MutationObserver(later).observe(document.getElementById("main-content"), {subtree: true, childList: true});
    window.MathJax?.startup?.promise?.then(reach);
  });
  window.addEventListener("resize", later);
  document.addEventListener("toggle", reach, true);
})();
