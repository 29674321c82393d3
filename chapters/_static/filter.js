// Lets a reader search a long list and filter it. Without it the page shows all of the list.
// A list has the class "filterable" and "filter-KEY" for each choice; an entry is an "item" with "KEY-VALUE".
(() => {
  "use strict";

  const after = (element, start) => [...element.classList].filter((one) => one.startsWith(start)).map((one) => one.slice(start.length));
  const value = (item, key) => after(item, `${key}-`)[0] ?? "";
  const spoken = (word) => (word.charAt(0).toUpperCase() + word.slice(1)).replaceAll("-", " ");

  function control(text, element) {
    const label = document.createElement("label");
    const name = document.createElement("span");
    name.textContent = text;
    label.append(name, element);
    return label;
  }

  function choices(items, key) {
    const select = document.createElement("select");
    const counts = new Map();
    for (const item of items) counts.set(value(item, key), (counts.get(value(item, key)) ?? 0) + 1);
    select.append(new Option("all", ""));
    for (const one of [...counts.keys()].filter(Boolean).sort()) select.append(new Option(`${spoken(one)} (${counts.get(one)})`, one));
    select.name = key;
    return select;
  }

  function start(list) {
    const items = [...list.querySelectorAll(".item")];
    const words = new Map(items.map((item) => [item, item.textContent.toLowerCase()]));
    const form = document.createElement("form");
    form.className = "filter";
    form.setAttribute("role", "search");
    form.setAttribute("aria-label", spoken(list.id));
    const search = Object.assign(document.createElement("input"), { type: "search", name: "words" });
    const selects = after(list, "filter-").map((key) => choices(items, key));
    const count = document.createElement("output");
    count.setAttribute("aria-live", "polite");
    form.append(control("Search", search), ...selects.map((one) => control(spoken(one.name), one)), count);
    list.before(form);

    function apply() {
      const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const item of items) {
        const fits = wanted.every((word) => words.get(item).includes(word))
          && selects.every((one) => !one.value || value(item, one.name) === one.value);
        item.hidden = !fits;
        shown += fits;
      }
      count.textContent = `${shown} of ${items.length} ${list.id.replaceAll("-", " ")}`;
    }

    // A filter can be linked to, like an entry.
    const asked = new URLSearchParams(location.search);
    search.value = asked.get("words") ?? "";
    for (const one of selects) if (asked.get(one.name)) one.value = asked.get(one.name);
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  function all() {
    for (const list of document.querySelectorAll(".filterable")) start(list);
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
})();
