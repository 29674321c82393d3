// Draws every chart of the page as SVG, in the colours of the page, and keeps sliders where they are.
// The library comes when the first chart is about to be seen, or when the page is to be printed.
(() => {
  "use strict";

  const LIBRARY = new URL("vendor/vega.js", document.currentScript.src);
  let loading;

  function library() {
    loading ??= new Promise((done, failed) => {
      const script = document.createElement("script");
      script.onload = done;
      script.onerror = () => failed(new Error("its script is missing"));
      script.src = LIBRARY;
      document.head.append(script);
    });
    return loading;
  }

  const PALETTES = {
    light: { text: "#22272e", quiet: "#4a5560", grid: "#e6e8eb", line: "#8a94a0" },
    dark: { text: "#e8eaed", quiet: "#bcc3cb", grid: "#3a4048", line: "#7d8792" },
  };

  const mode = () => (document.documentElement.dataset.theme === "dark" ? "dark" : "light");

  // The colours of the page win over those of the specification.
  function dressed(spec, colours) {
    const { config = {} } = spec;
    const axis = {
      labelColor: colours.quiet, titleColor: colours.text, gridColor: colours.grid,
      domainColor: colours.line, tickColor: colours.line,
    };
    const legend = { labelColor: colours.quiet, titleColor: colours.text };
    return {
      ...spec,
      config: {
        ...config,
        axis: { ...config.axis, ...axis },
        legend: { ...config.legend, ...legend },
        text: { ...config.text, color: colours.text },
      },
    };
  }

  const raised = (digits) => [...String(digits)].map((d) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(d)]).join("");

  function compute(log) {
    const exponent = Math.floor(log + 1e-9);
    return `${(10 ** (log - exponent)).toFixed(2)} × 10${raised(exponent)} FLOP`;
  }

  function count(value) {
    const [scale, letter] = [[1e12, "T"], [1e9, "B"], [1e6, "M"], [0, ""]].find(([one]) => value >= 0.9995 * one);
    const short = Number((value / (scale || 1)).toPrecision(3));
    return `${short.toLocaleString("en")}${letter}`;
  }

  // A parameter named log_C is the logarithm of a budget, log_… and log2_… are those of counts, to
  // base ten and two; any other one is shown as it is.
  function words(name, value) {
    if (name === "log_C") return compute(value);
    if (name.startsWith("log_")) return count(10 ** value);
    return name.startsWith("log2_") ? (2 ** value).toLocaleString("en") : String(value);
  }

  function label(host, name, view) {
    const input = host.querySelector(`input[name="${name}"]`);
    if (!input) return;
    const output = document.createElement("output");
    output.className = "vl-value";
    input.nextElementSibling?.remove();
    input.after(output);
    const show = () => {
      output.textContent = words(name, view.signal(name));
      input.setAttribute("aria-valuetext", output.textContent);
    };
    view.addSignalListener(name, show);
    show();
  }

  async function draw(chart) {
    const bound = (chart.spec.params || []).filter((param) => param.bind);
    for (const param of bound) {
      if (chart.view) param.value = chart.view.signal(param.name);
    }
    const mine = ++chart.turn;
    await library();
    const { view, finalize } = await window.vegaEmbed(chart.live, dressed(chart.spec, PALETTES[mode()]), {
      mode: "vega-lite", renderer: "svg", actions: false,
    });
    if (mine !== chart.turn) return finalize();
    chart.finalize?.();
    Object.assign(chart, { view, finalize });
    for (const param of bound) label(chart.live, param.name, view);
    chart.host.dataset.ready = "true";
  }

  function fail(chart, error) {
    chart.host.dataset.ready = "false";
    chart.live.textContent = `This chart could not be drawn: ${error.message}`;
    throw error;
  }

  function start() {
    const charts = [...document.querySelectorAll(".vl-chart")].map((host) => {
      const live = document.createElement("div");
      live.className = "vl-live";
      host.append(live);
      return { host, live, turn: 0, spec: JSON.parse(host.querySelector(".vl-spec").textContent) };
    });
    const all = () => charts.forEach((chart) => draw(chart).catch((error) => fail(chart, error)));
    let shown;
    function begin() {
      if (shown) return;
      near.disconnect();
      shown = mode();
      all();
    }
    const near = new IntersectionObserver((seen) => {
      if (seen.some((one) => one.isIntersecting)) begin();
    }, { rootMargin: "600px 0px" });
    charts.forEach((chart) => near.observe(chart.host));
    window.addEventListener("beforeprint", begin);
    new MutationObserver(() => {
      if (shown && mode() !== shown) {
        shown = mode();
        all();
      }
    }).observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
  }

  document.addEventListener("DOMContentLoaded", start);
})();
