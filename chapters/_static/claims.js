// Hides the claims that a reader filters out. Without it the page shows all of them.
(() => {
  "use strict";

  const NAMES = { verdict: "Verdict", chapter: "Chapter", kind: "Kind" };

  const value = (claim, key) => [...claim.classList].find((one) => one.startsWith(`${key}-`))?.slice(key.length + 1);

  function control(text, element) {
    const label = document.createElement("label");
    const name = document.createElement("span");
    name.textContent = text;
    label.append(name, element);
    return label;
  }

  function choices(claims, key) {
    const select = document.createElement("select");
    const counts = new Map();
    for (const claim of claims) counts.set(value(claim, key), (counts.get(value(claim, key)) ?? 0) + 1);
    select.append(new Option("all", ""));
    for (const one of [...counts.keys()].sort()) select.append(new Option(`${one.replaceAll("-", " ")} (${counts.get(one)})`, one));
    select.name = key;
    return select;
  }

  function start() {
    const list = document.querySelector("#claims");
    if (!list) return;
    const claims = [...list.querySelectorAll(".claim")];
    const words = new Map(claims.map((claim) => [claim, claim.textContent.toLowerCase()]));
    const form = document.createElement("form");
    form.className = "claim-filter";
    form.setAttribute("role", "search");
    const search = Object.assign(document.createElement("input"), { type: "search", name: "words" });
    const selects = Object.keys(NAMES).map((key) => choices(claims, key));
    const count = document.createElement("output");
    count.setAttribute("aria-live", "polite");
    form.append(control("Search", search), ...selects.map((one) => control(NAMES[one.name], one)), count);
    list.before(form);

    function apply() {
      const wanted = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const claim of claims) {
        const fits = wanted.every((word) => words.get(claim).includes(word))
          && selects.every((one) => !one.value || value(claim, one.name) === one.value);
        claim.hidden = !fits;
        shown += fits;
      }
      count.textContent = `${shown} of ${claims.length} claims`;
    }

    // A filter can be linked to, like a claim.
    const asked = new URLSearchParams(location.search);
    search.value = asked.get("words") ?? "";
    for (const one of selects) if (asked.get(one.name)) one.value = asked.get(one.name);
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    apply();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
