// Boxes that scroll sideways can be reached by keyboard: code, outputs and formulas wider than the column.
(() => {
  "use strict";

  const BOXES = "pre, mjx-container[display='true'], div.cell_output > .output, .table-wrap";
  const reach = () => document.querySelectorAll(BOXES).forEach((box) => {
    if (box.scrollWidth > box.clientWidth || box.closest("details")) box.tabIndex = 0;
  });
  // The theme looks once, before fonts and formulas have their width; folded code has none until it is opened.
  const later = () => setTimeout(reach, 500);

  window.addEventListener("load", () => {
    later();
    window.MathJax?.startup?.promise?.then(reach);
  });
  window.addEventListener("resize", later);
  document.addEventListener("toggle", reach, true);
})();
