// The planner: the arithmetic of scalinglib.topics.planning, and the form that shows it.
// The first part knows no page: plan(settings, constants) runs in any JavaScript engine.
(function (root) {
  "use strict";

  // Arithmetic ---------------------------------------------------------------------------------

  const HOURS_PER_DAY = 24, SECONDS_PER_HOUR = 3600, PER_TOKEN = 6, SERVED = 2;

  const lossOfSum = (law, N, D) => law.E + law.A * N ** -law.alpha + law.B * D ** -law.beta;

  // Two terms joined more sharply than by a sum, or with data that are worth more to larger models.
  function lossOfJoint(law, N, D) {
    const size = (Math.log(law.A) - law.alpha * Math.log(N)) / law.k;
    const data = (Math.log(law.B) - law.beta * Math.log(D) + law.g * Math.log(N)) / law.k;
    const most = Math.max(size, data);
    return law.E + Math.exp(law.k * (most + Math.log1p(Math.exp(-Math.abs(size - data)))));
  }

  // The law of ridge regression on random features.
  function lossOfSolvable(law, N, D) {
    const size = 1 / N, data = law.r / D, total = size + data;
    const mixed = (size / total) * (data / total), { alpha } = law;
    const curve = 2 / (alpha * (1 + alpha)) - 1, damping = 2 / (1 + alpha) - 1;
    const root = (1 + Math.sqrt(1 + 4 * curve * mixed)) / 2;
    return law.E + law.A * (total * root) ** alpha / (1 + damping * mixed / root ** 2);
  }

  function lossOfKaplan(law, N, D) {
    return ((law.N_c / N) ** (law.alpha_N / law.alpha_D) + law.D_c / D) ** law.alpha_D;
  }

  const LOSS = { sum: lossOfSum, joint: lossOfJoint, solvable: lossOfSolvable, kaplan: lossOfKaplan,
    power: () => NaN };

  const scaleOf = (law) => (law.alpha * law.A / (law.beta * law.B)) ** (1 / (law.alpha + law.beta));

  // Parameters that a budget asks for, by form.
  const SIZE = {
    sum: (law, C) => scaleOf(law) * (C / PER_TOKEN) ** (law.beta / (law.alpha + law.beta)),
    joint: (law, C) => {
      const { alpha, beta, g } = law, all = alpha + beta + g;
      const ratio = Math.log(alpha / (beta + g)) * law.k + Math.log(law.A / law.B);
      return Math.exp(ratio / all) * (C / PER_TOKEN) ** (beta / all);
    },
    solvable: (law, C) => Math.sqrt(C / PER_TOKEN / law.r),
    kaplan: (law, C) => {
      const r = law.alpha_N / law.alpha_D;
      const scale = r ** (1 / (1 + r)) * law.N_c ** (r / (1 + r));
      return scale * (C / (PER_TOKEN * law.D_c)) ** (1 / (1 + r));
    },
    power: (law, C) => law.k_N * C ** law.a,
  };

  // The split of a budget under a law; the loss is NaN where the law knows none.
  function split(law, C) {
    const N = SIZE[law.form](law, C);
    const D = law.form === "power" ? law.k_D * C ** law.b : C / PER_TOKEN / N;
    return { N, D, loss: LOSS[law.form](law, N, D) };
  }

  // Worth of total units of which some are fresh, and its logarithmic slope.
  function worth(total, fresh, R) {
    const again = total / fresh - 1;
    const value = fresh * (1 - R * Math.expm1(-again / R));
    return [value, total * Math.exp(-again / R) / value];
  }

  // The split with the lowest loss when only U tokens are different: every place where the slope
  // turns from falling to rising is found by halving.
  function splitRepeated(law, C, U) {
    const free = split(law, C);
    if (free.D <= U) return free;
    const G = scaleOf(law), fitting = G * (G * U) ** (law.beta / law.alpha);
    const parts = (N) => {
      const D = C / PER_TOKEN / N;
      return [worth(N, Math.min(fitting, N), law.R_N), worth(D, Math.min(U, D), law.R_D)];
    };
    const slope = (x) => {
      const [[size, bySize], [data, byData]] = parts(Math.exp(x));
      return law.beta * law.B * data ** -law.beta * byData - law.alpha * law.A * size ** -law.alpha * bySize;
    };
    const ends = [Math.log(free.N / 1e3), Math.log(C / PER_TOKEN / U)].sort((a, b) => a - b);
    const grid = Array.from({ length: 200 }, (_, k) => ends[0] + (k * (ends[1] - ends[0])) / 199);
    const signs = grid.map(slope);
    const places = [...grid];
    for (let k = 0; k + 1 < grid.length; k += 1) {
      if (signs[k] < 0 && signs[k + 1] >= 0) places.push(root0(slope, grid[k], grid[k + 1]));
    }
    const found = places.sort((a, b) => a - b).map((x) => {
      const N = Math.exp(x), D = C / PER_TOKEN / N;
      const [[size], [data]] = parts(N);
      return { N, D, loss: lossOfSum(law, size, data) };
    });
    const lowest = Math.min(...found.map((one) => one.loss));
    return found.find((one) => one.loss <= lowest * (1 + 1e-13));
  }

  // Where a rising function crosses zero, to rounding.
  function root0(f, low, high) {
    for (let step = 0; step < 200 && low < high; step += 1) {
      const middle = low + (high - low) / 2;
      if (middle <= low || middle >= high) break;
      if (f(middle) < 0) low = middle; else high = middle;
    }
    return low + (high - low) / 2;
  }

  const log1pexp = (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

  // The model of the same loss that costs least over training and use.
  function lifetime(law, best, served) {
    const reducible = best.loss - law.E;
    const least = (law.B / reducible) ** (1 / law.beta);
    const demand = Math.log(served / (PER_TOKEN / SERVED * least));
    const start = Math.log(law.beta / law.alpha), power = 1 / law.beta;
    const gap = (z) => z - start - log1pexp(demand - power * log1pexp(z));
    const z = root0(gap, start - 1e-6, start + log1pexp(demand - power * log1pexp(start)) + 1e-6);
    const N = (law.A / (reducible * Math.exp(-log1pexp(-z)))) ** (1 / law.alpha);
    const D = least * Math.exp(log1pexp(z) / law.beta);
    const cost = (n, d) => PER_TOKEN * n * d + SERVED * n * served;
    return { life_params: N, life_tokens: D, life_saving: 1 - cost(N, D) / cost(best.N, best.D) };
  }

  // A quantile as numpy takes it, on the line between two values.
  function quantile(values, share) {
    const sorted = [...values].sort((a, b) => a - b);
    const at = share * (sorted.length - 1), k = Math.floor(at);
    return k + 1 < sorted.length ? sorted[k] + (at - k) * (sorted[k + 1] - sorted[k]) : sorted[k];
  }

  // The law in each of its refits to resampled runs.
  function drawn(law, constants) {
    const { names, rows } = constants.draws[law.draws];
    return rows.map((row) => ({ ...law, ...Object.fromEntries(names.map((name, k) => [name, row[k]])) }));
  }

  function bands(law, best, C, constants) {
    if (!law.draws) return { loss_low: NaN, loss_high: NaN, params_low: NaN, params_high: NaN };
    const laws = drawn(law, constants);
    const losses = laws.map((one) => LOSS[one.form](one, best.N, best.D));
    const sizes = laws.map((one) => SIZE[one.form](one, C));
    const [low, high] = constants.level;
    return {
      loss_low: quantile(losses, low), loss_high: quantile(losses, high),
      params_low: quantile(sizes, low), params_high: quantile(sizes, high),
    };
  }

  // Why a law has no band, and what other fits of the same runs ask for.
  function doubts(law, C, constants) {
    const notes = law.band ? [`no band: ${law.band}`] : [];
    const sizes = constants.laws.filter((one) => law.runs && one.runs === law.runs && one.key !== law.key)
      .map((one) => SIZE[one.form](one, C));
    if (sizes.length) {
      const ends = [short(Math.min(...sizes)), short(Math.max(...sizes))];
      notes.push(`other fits of the same runs ask for ${[...new Set(ends)].join(" to ")} parameters`);
    }
    return notes;
  }

  // Peak rate, batch (tokens) and steps by the published rules, and how far beyond their grids.
  function hyperparameters(N, D, constants) {
    const C = PER_TOKEN * N * D;
    const by = (rule) => rule.scale * N ** rule.n * D ** rule.d * C ** rule.c;
    return constants.rules.map((rule) => {
      const batch = by(rule.batch);
      return { name: rule.name, counts: rule.counts, rate: by(rule.rate), batch, steps: D / batch,
        beyond: beyond(rule, { N, D, C }) };
    });
  }

  // How far a plan lies outside the runs behind a law, in the words of the catalogue.
  function beyond(law, size) {
    const words = { N: "the largest model", D: "the most tokens", C: "the most compute" };
    const known = Object.keys(words).filter((name) => law[`${name}_high`] !== undefined);
    if (!known.length) return "the range of its runs is not known here";
    const told = known
      .filter((name) => size[name] > 1.05 * law[`${name}_high`])
      .map((name) => `${times(size[name] / law[`${name}_high`])} times ${words[name]}`);
    const last = told.pop();
    if (last) return `${told.length ? `${told.join(", ")} and ` : ""}${last} of its runs`;
    const below = known.some((name) => size[name] < 0.95 * law[`${name}_low`]);
    return below ? "smaller than its runs" : "";
  }

  const lawOf = (settings, constants) => constants.laws.find((law) => law.key === settings.law);

  const deviceOf = (settings, constants) => constants.devices.find((one) => one.name === settings.device);

  function plan(settings, constants) {
    const law = lawOf(settings, constants), device = deviceOf(settings, constants);
    const { devices, utilisation, unique } = settings;
    const rate = device.peak_flops * utilisation;
    const C = settings.flops
      ?? devices * device.peak_flops * utilisation * (settings.days * HOURS_PER_DAY) * SECONDS_PER_HOUR;
    const repeats = law.R_D !== undefined && unique && split(law, C).D > unique;
    const best = repeats ? splitRepeated(law, C, unique) : split(law, C);
    const notes = [];
    if (unique && best.D > unique && law.R_D === undefined) {
      notes.push("text is repeated, and this law counts every pass as new text");
    }
    if (law.counts !== "total") {
      notes.push(`the size is counted as ${law.counts}, and memory is that of this count alone`);
    }
    notes.push(...doubts(law, C, constants));
    const hours = C / (rate * SECONDS_PER_HOUR);
    const kilowatts = (device.power_W ?? NaN) / 1e3 * settings.power_share * settings.overhead * settings.pue;
    const energy = hours * kilowatts;
    const [weight, state, stateWide] = constants.bytes;
    return {
      flops: C, params: best.N, tokens: best.D, tokens_per_param: best.D / best.N, loss: best.loss,
      ...bands(law, best, C, constants),
      epochs: unique ? best.D / unique : NaN,
      weights_GB: weight * best.N / 1e9, state_GB: state * best.N / 1e9,
      state_fp32_GB: stateWide * best.N / 1e9,
      devices_for_state: state * best.N / 1e9 / device.memory_GB,
      device_hours: hours, wall_days: hours / devices / HOURS_PER_DAY,
      energy_kWh: energy, tonnes: energy * settings.grid / 1e3,
      rent: hours * settings.price, electricity: energy * settings.tariff,
      ...(law.form !== "sum" || repeats
        ? { life_params: NaN, life_tokens: NaN, life_saving: NaN }
        : lifetime(law, best, settings.served)),
      beyond: beyond(law, { N: best.N, D: best.D, C }), notes,
    };
  }

  const planAll = (settings, constants) => constants.laws.map((law) => ({
    key: law.key, name: law.name, ours: law.how === "ours", ...plan({ ...settings, law: law.key }, constants),
  }));

  // Words --------------------------------------------------------------------------------------

  // A value at p significant digits, a tie going to the even digit as in Python.
  function rounded(value, p) {
    const [digits, exponent] = value.toExponential(60).split("e");
    const all = digits.replace(".", ""), last = Number(all[p - 1]);
    const down = last % 2 === 0 && /^50*$/.test(all.slice(p));
    return down ? Number(`${all[0]}.${all.slice(1, p)}e${exponent}`) : Number(value.toPrecision(p));
  }

  // The same as Python's format writes it, without the plus of exponents.
  function general(value, p) {
    if (Number.isNaN(value)) return "nan";
    if (value === 0) return "0";
    const near = rounded(value, p);
    const [digits, exponent] = near.toExponential(p - 1).split("e");
    const power = Number(exponent);
    if (power >= -4 && power < p) return String(near);
    const mantissa = digits.includes(".") ? digits.replace(/\.?0+$/, "") : digits;
    return `${mantissa}e${power < 0 ? "-" : ""}${String(Math.abs(power)).padStart(2, "0")}`;
  }

  function grouped(value) {
    const whole = value % 1 === 0.5 ? 2 * Math.round(value / 2) : value;
    return whole.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ",");
  }

  function times(ratio) {
    const near = rounded(ratio, 2);
    return near >= 999.5 && near < 1e6 ? grouped(near)
      : general(near, 6).replace(/e(?=\d)/, "e+");
  }

  // A number at three digits, as the field writes it: 70B, 1.4T, 5,760, 0.0123.
  function short(value) {
    for (const [scale, letter] of [[1e12, "T"], [1e9, "B"], [1e6, "M"]]) {
      if (value >= 0.9995 * scale && value < 0.9995e15) return general(value / scale, 3) + letter;
    }
    if (value >= 999.5 && value < 1e6) return grouped(rounded(value, 3));
    return general(value, 3);
  }

  function verdict(words) {
    if (!words) return "Inside the runs of the law.";
    return words.startsWith("the range") ? "The range of the runs of this law is not known here."
      : `Outside the runs of the law: ${words}.`;
  }

  function sentence(settings, made, constants) {
    let told = `${grouped(settings.devices)} ${settings.device} at `
      + `${general(100 * settings.utilisation, 3)} % of their peak`;
    told = settings.flops
      ? `${general(made.flops, 3)} FLOP, on ${told} ${short(made.wall_days)} days,`
      : `${short(settings.days)} days on ${told}, ${general(made.flops, 3)} FLOP,`;
    told += ` train ${short(made.params)} parameters on ${short(made.tokens)} tokens under `
      + `${lawOf(settings, constants).name} (${short(made.tokens_per_param)} tokens per parameter)`;
    if (!Number.isNaN(made.loss)) told += `, to a loss of ${made.loss.toFixed(2)}`;
    if (!Number.isNaN(made.loss_low)) told += ` (${made.loss_low.toFixed(2)} to ${made.loss_high.toFixed(2)})`;
    told += `. They take ${short(made.device_hours)} device hours`;
    if (!Number.isNaN(made.energy_kWh)) {
      told += `, ${short(made.energy_kWh)} kWh, ${short(made.tonnes)} tonnes of CO2`;
    }
    told += ` and $${short(made.rent)} of rent.`;
    return `${told} ${verdict(made.beyond)}`;
  }

  const or = (value, write) => (Number.isNaN(value) ? "—" : write(value));
  const span = (low, high, write) => (Number.isNaN(low) ? "" : `${write(low)} to ${write(high)}`);
  const bytes = (GB) => (GB >= 999.5 ? `${short(GB / 1e3)} TB` : `${short(GB)} GB`);
  const energy = (kWh) => (kWh >= 999500 ? `${short(kWh / 1e6)} GWh` : kWh >= 999.5 ? `${short(kWh / 1e3)} MWh` : `${short(kWh)} kWh`);
  const loss = (value) => value.toFixed(2);

  // What the page says about a plan: a name, a value, and a smaller line.
  function readouts(made, settings, constants) {
    const law = lawOf(settings, constants), why = Number.isNaN(made.loss) ? "the law knows no loss" : "no band";
    const life = Number.isNaN(made.life_saving) ? ["—", "not worked out for this law"]
      : [made.life_saving < 1e-6 ? "nothing" : `${general(100 * made.life_saving, 2)} % of compute`, `by ${short(made.life_params)} on ${short(made.life_tokens)}`];
    return [
      ["parameters", short(made.params), span(made.params_low, made.params_high, short) || law.counts],
      ["tokens", short(made.tokens), `${short(made.tokens_per_param)} per parameter`],
      ["loss", or(made.loss, loss), span(made.loss_low, made.loss_high, loss) || why],
      ["compute", `${general(made.flops, 3)} FLOP`, `${short(made.flops / constants.pf_day)} PF-days`],
      ["time", `${short(made.wall_days)} days`, `${short(made.device_hours)} device hours`],
      ["rent", `$${short(made.rent)}`, `at $${general(settings.price, 3)} an hour`],
      ["energy", or(made.energy_kWh, energy), Number.isNaN(made.energy_kWh) ? "the maker states no power" : `$${short(made.electricity)} of electricity`],
      ["CO₂", or(made.tonnes, (t) => `${short(t)} t`), `at ${general(settings.grid, 3)} kg per kWh`],
      ["epochs", or(made.epochs, short), settings.unique ? `of ${short(settings.unique)} tokens` : "text without end"],
      ["weights", bytes(made.weights_GB), "in 16 bits"],
      ["training state", `${bytes(made.state_GB)}`, `${bytes(made.state_fp32_GB)} with 32-bit gradients; ${short(made.devices_for_state)} devices`],
      ["over-training saves", ...life],
    ];
  }

  const ORDER = ["device", "devices", "days", "utilisation", "flops", "served", "unique", "law", "price",
    "overhead", "power_share", "pue", "grid", "tariff"];

  // The settings that tell the plan from others: in an address and in a line of Python.
  function told(settings, defaults) {
    const always = ["device", "devices", settings.flops ? "flops" : "days", "utilisation", "law"];
    return ORDER.filter((name) => always.includes(name)
      || (name !== "days" && settings[name] !== defaults[name]));
  }

  const literal = (value) => (typeof value === "string" ? `"${value}"` : general(value, 15));

  const code = (settings, defaults) => `sl.plan(${told(settings, defaults)
    .map((name) => `${name}=${literal(settings[name])}`).join(", ")})`;

  // "15T", "1.4e12", "1,024" and "70 B" are numbers; empty is none, anything else NaN.
  function parse(text) {
    const bare = text.replace(/[\s,_]/g, "");
    if (!bare) return null;
    const found = /^(\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)([kMBT]?)$/i.exec(bare);
    if (!found) return NaN;
    return Number(found[1]) * ({ k: 1e3, m: 1e6, b: 1e9, t: 1e12 }[found[2].toLowerCase()] ?? 1);
  }

  // What keeps settings from being planned, by name; the rules are those of scalinglib.
  function problems(settings, constants) {
    const found = {}, { flops, unique } = settings;
    const refuse = (name, good, words) => { if (!good) found[name] = words; };
    const above = (value) => value > 0 && Number.isFinite(value);
    for (const name of ["devices", "days", "overhead", "pue"]) {
      refuse(name, above(settings[name]), "give a number above zero");
    }
    for (const name of ["utilisation", "power_share"]) {
      refuse(name, above(settings[name]) && settings[name] <= 1, "give a share up to 1: write 40 % as 0.4");
    }
    for (const name of ["price", "grid", "tariff", "served"]) {
      const value = settings[name];
      refuse(name, value !== null && value >= 0 && Number.isFinite(value), "give zero or more");
    }
    for (const [name, value] of [["flops", flops], ["unique", unique]]) {
      refuse(name, value === null || above(value), "give a number above zero, or leave it empty");
    }
    refuse("device", deviceOf(settings, constants), "choose a device of the list");
    refuse("law", lawOf(settings, constants), "choose a law of the list");
    return found;
  }

  // Settings in the address of the page, after the sign #.
  const toAddress = (settings, defaults) => told(settings, defaults)
    .map((name) => `${name}=${encodeURIComponent(typeof settings[name] === "string"
      ? settings[name] : general(settings[name], 15))}`).join("&");

  function fromAddress(text, defaults) {
    const settings = { ...defaults };
    for (const part of text.replace(/^#/, "").split("&")) {
      const [name, value] = part.split("=");
      if (!(name in defaults) || value === undefined) continue;
      settings[name] = typeof defaults[name] === "string" ? decodeURIComponent(value)
        : parse(decodeURIComponent(value));
    }
    return settings;
  }

  root.planner = { plan, planAll, hyperparameters, readouts, sentence, code, parse, problems, toAddress,
    fromAddress, short, general };

  // The page -----------------------------------------------------------------------------------

  if (typeof document === "undefined") return;

  const escaped = (text) => String(text).replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

  // A number as a field shows it: exact, and with a letter where that is shorter.
  function compact(value) {
    const letters = short(value);
    if (parse(letters) === value) return letters;
    return value >= 1e6 || (value > 0 && value < 1e-4) ? general(value, 15) : String(value);
  }

  // Rates and batches by published rules, each with its distance from the grids behind it.
  function showRules(host, rows) {
    const cell = (row) => `<div><dt>${row.name}</dt><dd><b>rate ${general(row.rate, 2)}, batch ${short(row.batch)}</b>`
      + `<small>${short(row.steps)} steps; ${escaped(brief(row.beyond))}; ${escaped(row.counts)}</small></dd></div>`;
    host.innerHTML = '<p class="planner-head">Peak rate and batch (tokens), by published rules</p>'
      + `<dl>${rows.map(cell).join("")}</dl><p class="planner-copy"><button type="button" data-copy="rules">Copy as Python</button>`
      + '<output role="status"></output></p>';
  }

  function showPlan(host, made, settings, constants) {
    const cells = readouts(made, settings, constants).map(([name, value, more]) => `<div><dt>${name}</dt>`
      + `<dd><b>${escaped(value)}</b><small>${escaped(more)}</small></dd></div>`).join("");
    const word = verdict(made.beyond);
    const kind = made.beyond ? "planner-beyond" : "planner-inside";
    host.innerHTML = `<p class="planner-word ${kind}">${escaped(word)}</p><dl>${cells}</dl>`
      + made.notes.map((note) => `<p class="planner-note">${escaped(note[0].toUpperCase() + note.slice(1))}.</p>`).join("")
      + '<p class="planner-copy"><button type="button" data-copy="sentence">Copy as a sentence</button>'
      + '<button type="button" data-copy="code">Copy as Python</button>'
      + '<button type="button" data-copy="address">Copy link</button>'
      + '<output role="status"></output></p>';
  }

  // The words of the catalogue, short enough for a column: 11× size, 9.6× tokens.
  const brief = (words) => (words.startsWith("the range") ? "range not known"
    : (words || "inside").replace(/ times the (?:largest|most) /g, "× ").replace("model", "size")
      .replace(/ and /g, ", ").replace(" of its runs", ""));

  // One dot a law on a logarithmic axis of model sizes, stacked where they meet.
  function showLaws(host, rows, settings) {
    const sorted = [...rows].sort((a, b) => a.params - b.params);
    const logs = sorted.map((row) => Math.log10(row.params));
    const low = Math.floor(logs[0] - 0.15), high = Math.ceil(logs[logs.length - 1] + 0.15);
    const width = host.clientWidth || 700, margin = 14, r = 5;
    const x = (log) => margin + ((log - low) / (high - low)) * (width - 2 * margin);
    const stacks = [];
    const dots = sorted.map((row, k) => {
      const at = x(logs[k]);
      let level = 0;
      while (stacks[level] !== undefined && at - stacks[level] < 2 * r + 1) level += 1;
      stacks[level] = at;
      return { row, at, level };
    });
    const height = Math.max(...dots.map((dot) => dot.level)) * (2 * r + 1) + 62;
    const y = (level) => height - 34 - level * (2 * r + 1);
    const ticks = Array.from({ length: high - low + 1 }, (_, k) => low + k).map((log) => `<line x1="${x(log)}" x2="${x(log)}" y1="18" y2="${height - 22}" class="planner-tick"/>`
      + `<text x="${x(log)}" y="${height - 6}" text-anchor="${log === low ? "start" : log === high ? "end" : "middle"}">${short(10 ** log)}</text>`).join("");
    const marks = dots.map(({ row, at, level }) => `<circle cx="${at.toFixed(1)}" cy="${y(level)}" r="${row.key === settings.law ? r + 2 : r - 0.5}" class="${row.beyond ? "out" : "in"}${row.key === settings.law ? " chosen" : ""}"><title>${escaped(`${row.name}: ${short(row.params)} on ${short(row.tokens)}`)}</title></circle>`).join("");
    const ends = [sorted[0], sorted[sorted.length - 1]];
    const words = `Parameters of this budget under ${rows.length} laws, from ${short(ends[0].params)} (${ends[0].name}) to ${short(ends[1].params)} (${ends[1].name}); ${rows.filter((row) => !row.beyond).length || "none"} of them inside their runs.`;
    const line = (row) => `<tr${row.key === settings.law ? ' class="chosen"' : ""}><th scope="row">${escaped(row.name.replace(" et al.", ""))}${row.ours ? " <small>fitted here</small>" : ""}</th><td>${short(row.params)}<small>${span(row.params_low, row.params_high, short)}</small></td><td>${short(row.tokens)}</td>`
      + `<td>${short(row.tokens_per_param)}</td><td>${or(row.loss, loss)}<small>${span(row.loss_low, row.loss_high, loss)}</small></td><td>${escaped(brief(row.beyond))}</td></tr>`;
    const open = host.querySelector("details")?.open ? " open" : "";
    host.innerHTML = `<p class="planner-head">The same budget under every law: parameters</p><svg viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(words)}">${ticks}${marks}</svg>`
      + `<p class="planner-legend">A dot a law: filled inside its runs, hollow outside or where their range is unknown; the large one is yours. ${escaped(words)}</p>`
      + `<details${open}><summary>All ${rows.length} laws in a table</summary><div class="table-wrap"><table class="comparison"><thead><tr><th scope="col">law</th><th scope="col">parameters</th><th scope="col">tokens</th><th scope="col">tokens per parameter</th><th scope="col">loss (own text)</th><th scope="col">against its runs</th></tr></thead><tbody>${sorted.map(line).join("")}</tbody></table></div></details>`;
  }

  function start() {
    const host = document.querySelector(".planner");
    if (!host) return;
    const constants = JSON.parse(host.querySelector(".planner-constants").textContent);
    const [form, results, rules, laws] = ["form", "results", "rules", "laws"].map((name) => host.querySelector(`.planner-${name}`));
    let settings = fromAddress(location.hash, constants.defaults);
    let made = null;

    function fill() {
      for (const name of ORDER) {
        const value = settings[name];
        form.elements[name].value = value === null ? "" : typeof value === "string" ? value : compact(value);
      }
      form.elements.mode.value = settings.flops ? "flops" : "hardware";
    }

    function read() {
      const byFlops = form.elements.mode.value === "flops";
      const next = {};
      for (const name of ORDER) {
        const text = form.elements[name].value;
        next[name] = typeof constants.defaults[name] === "string" ? text : parse(text);
      }
      if (!byFlops) next.flops = null;
      else next.days = constants.defaults.days;
      if (byFlops && next.flops === null) next.flops = made ? Number(made.flops.toPrecision(4)) : NaN;
      return next;
    }

    function show() {
      const byFlops = form.elements.mode.value === "flops";
      form.querySelector('[data-for="days"]').hidden = byFlops;
      form.querySelector('[data-for="flops"]').hidden = !byFlops;
      const wrong = problems(settings, constants);
      for (const label of form.querySelectorAll("[data-for]")) {
        const words = wrong[label.dataset.for] || "";
        label.querySelector("small").textContent = words;
        label.querySelector("input, select").setAttribute("aria-invalid", String(Boolean(words)));
      }
      if (Object.keys(wrong).length) {
        results.classList.add("stale");
        return;
      }
      results.classList.remove("stale");
      made = plan(settings, constants);
      showPlan(results, made, settings, constants);
      showRules(rules, hyperparameters(made.params, made.tokens, constants));
      showLaws(laws, planAll(settings, constants), settings);
      host.dataset.ready = "true";
    }

    form.addEventListener("input", (event) => {
      settings = read();
      if (event.target.name === "mode") fill();
      show();
      if (results.classList.contains("stale")) return;
      history.replaceState(null, "", `#${toAddress(settings, constants.defaults)}`);
    });
    form.addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", () => {
      if (!location.hash.includes("=")) return;
      settings = fromAddress(location.hash, constants.defaults);
      fill();
      show();
    });
    addEventListener("resize", () => made && showLaws(laws, planAll(settings, constants), settings));
    host.addEventListener("click", async (event) => {
      const kind = event.target.dataset.copy;
      if (!kind) return;
      const line = code(settings, constants.defaults);
      const text = kind === "code" ? line : kind === "rules" ? `${line}.hyperparameters`
        : kind === "sentence" ? sentence(settings, made, constants)
        : `${location.href.split("#")[0]}#${toAddress(settings, constants.defaults)}`;
      const output = event.target.parentElement.querySelector("output");
      output.textContent = text;
      // Where the browser lets no page write to the clipboard, the text stands selected.
      try { await navigator.clipboard.writeText(text); } catch { getSelection().selectAllChildren(output); }
    });
    host.querySelector(".planner-static").hidden = true;
    for (const part of [form, results, rules, laws]) part.hidden = false;
    fill();
    show();
  }

  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})(globalThis);
