// The panel: what is known of the operation, leaf or group that was chosen.

const panel = at("panel");
const number = x => typeof x !== "number" ? String(x) : x === 0 ? "0" :
  (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5 ? x.toExponential(3) : String(Number(x.toPrecision(5)))).replace(/-/g, "−");
const bytes = n => n < 1024 ? `${n} B` : n < 2 ** 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 2 ** 20).toFixed(1)} MiB`;
const shapeText = shape => Array.isArray(shape[0]) ? shape.map(shapeText).join(", ") : shape.join("×") || "scalar";
const seconds = s => s < 1e-3 ? `${(s * 1e6).toFixed(0)} µs` : s < 1 ? `${(s * 1e3).toFixed(2)} ms` : `${s.toFixed(2)} s`;

function row(table, name, text = "") { const tr = element("tr", table); element("th", tr, name).scope = "row"; return element("td", tr, text); }

// What html.py's `statistics_data` gave, by name: one element is [value], or [value, "not finite"].
function statisticsOf(found) {
  if (found.length <= 2) return { count: 1, value: found[0] };
  const [count, mean, rms, min, max, zeros, nonfinite, histogram] = found;
  return { count, mean, rms, min, max, zeros, nonfinite, histogram };
}

// The element, or how large all of them are, in a word.
function inShort(found) {
  if (!found) return "";
  const known = statisticsOf(found);
  return known.count === 1 ? number(known.value) : known.rms === null ? "not finite" : `rms ${number(known.rms)}`;
}

function showStatistics(parent, heading, found) {
  if (!found) return;
  const known = statisticsOf(found);
  element("h3", parent, heading);
  const table = element("table", parent);
  if (known.count === 1) { row(table, "the element", number(known.value)); return; }
  for (const name of ["mean", "rms", "min", "max"]) if (known[name] !== null) row(table, name, number(known[name]));
  row(table, "zeros", `${(100 * known.zeros).toFixed(1)} % of ${known.count.toLocaleString("en")}`);
  if (known.nonfinite) row(table, "not finite", `${known.nonfinite.toLocaleString("en")} of ${known.count.toLocaleString("en")}`).className = "bad";
  if (known.histogram && known.histogram.length) showHistogram(parent, known);
}

function showHistogram(parent, { histogram, min, max }) {
  const figure = element("figure", parent), wide = 300 / histogram.length, most = Math.max(...histogram);
  const bars = make("svg", { class: "bars", viewBox: "0 0 300 48", role: "img",
                             "aria-label": `histogram from ${number(min)} to ${number(max)}` }, figure);
  histogram.forEach((count, k) => make("title", {}, make("rect", { x: k * wide, y: 47 - 45 * count / most, width: wide - 1,
    height: 45 * count / most + 1 }, bars), String(count)));
  if (min < 0 && max > 0) make("line", { x1: -min / (max - min) * 300, x2: -min / (max - min) * 300, y1: 0, y2: 48 }, bars);
  const ends = element("figcaption", figure);
  for (const text of [number(min), min < 0 && max > 0 ? "0" : "", number(max)]) element("span", ends, text);
}

// A value, its gradient, and the names of one of several that are alike.
function showNumbers(parent, of) {
  parent.textContent = "";
  if (of.names) element("p", parent, of.names.join(" = "));
  showStatistics(parent, "value", of.value);
  showStatistics(parent, "gradient", of.gradient);
}

const numbersOf = (id, which) => which ? (data.alike[id] || [])[which - 1] || {} : data.details[id];

// Show what is known of `id`; of several that are alike the numbers of number `which`.
function choose(id, which = 0) {
  Object.assign(state, { chosen: id, which });
  panel.textContent = "";
  panel.className = "";
  const box = boxOf(id), known = data.details[id];
  element("h2", panel, box.title);
  showPath(id);
  if (groupOf(id)) showGroup(id); else showOne(id, known, which);
  mark();
}

// The groups that `id` stands in, each to be chosen.
function showPath(id) {
  const groups = ancestors(id).reverse().filter(p => groupOf(p).kind !== "run" || !groupOf(groupOf(p).members[0]));
  if (!groups.length) return;
  const path = element("p", panel, "in ", "path");
  groups.forEach((p, k) => {
    if (k) path.append(" › ");
    button(path, boxOf(p).title, () => reveal(p), "part");
  });
}

function showOne(id, known, which) {
  const table = element("table", panel);
  for (const [name, value] of Object.entries(known.settings || {})) row(table, name, value);
  if (known.kind) row(table, "kind", { constant: "input", leaf: "leaf that requires a gradient" }[known.kind] || known.kind);
  if (known.dtype !== undefined) row(table, known.kind ? "is" : "result", `${shapeText(known.shape || [])} ${word(known.dtype)}`);
  if (known.line !== undefined) row(table, "line", word(known.line)).className = "line";
  if (known.kept) row(table, "kept", `${bytes(known.kept)} for the backward pass: ${(known.keeps || []).join(", ")}`);
  if (known.derivative) row(table, "derivative", `computed in a backward pass: derivative ${known.derivative}`);
  if (known.seconds) row(table, "time", seconds(known.seconds) + (known.backward_seconds ? ` forward, ${seconds(known.backward_seconds)} backward` : ""));
  if (known.failure) row(table, "failed", known.failure).className = "bad";
  if (known.code !== undefined) element("pre", panel, word(known.code));
  const alike = data.alike[id] || [], numbers = element("div", null, null, "numbers");
  if (alike.length) showChoice(id, alike.length + 1, which, numbers);
  panel.appendChild(numbers);
  showNumbers(numbers, numbersOf(id, which));
  showNeighbours(id);
  showSources(known);
}

// A slider over those that are alike.
function showChoice(id, count, which, numbers) {
  const label = element("label", panel, null, "choice"), said = element("span", label);
  const choice = element("input", label);
  Object.assign(choice, { type: "range", min: 0, max: count - 1, value: which });
  const say = () => { said.textContent = `${+choice.value + 1} of ${count} alike `; };
  choice.addEventListener("input", () => { state.which = +choice.value; say(); showNumbers(numbers, numbersOf(id, state.which)); });
  say();
}

// What `id` reads, and what reads it.
function showNeighbours(id) {
  for (const [heading, from, to] of [["reads", 1, 0], ["read by", 0, 1]]) {
    const found = [...new Set(data.arrows.filter(arrow => arrow[from] === id).map(arrow => arrow[to]))];
    if (!found.length) continue;
    element("h3", panel, heading);
    const list = element("p", panel, null, "neighbours");
    found.slice(0, 12).forEach(other => button(list, boxOf(other).title, () => reveal(other), "part"));
    if (found.length > 12) list.append(` and ${(found.length - 12).toLocaleString("en")} more`);
  }
}

function showSources(known) {
  const source = data.sources[word(known.node)];
  if (!source) return;
  if (source.forward) { element("h3", panel, "forward"); element("pre", panel, source.forward); }
  for (const [argument, rule] of Object.entries(source.rules)) {
    if (!rule) continue;
    element("h3", panel, argument ? `derivative by ${argument}` : "backward");
    element("pre", panel, rule);
  }
}

function showGroup(id) {
  const group = groupOf(id), box = boxOf(id);
  button(panel, state.open.has(id) ? "close" : "open", () => { toggle(id); choose(id); }, "main");
  const table = element("table", panel);
  if (group.path) row(table, "module", group.path);
  if (group.line) row(table, "line", group.line).className = "line";
  if (group.repeats > 1) row(table, "repeats", `${group.repeats.toLocaleString("en")} times; the first is drawn, and the dashed arrows lead to the next`);
  for (const line of box.lines || []) row(table, "", line);
  if (box.ring) {
    const [first, known] = Object.entries(data.details).find(([other]) => boxOf(other).ring && ancestors(other).includes(id));
    if (known.failure) row(table, "failed", known.failure).className = "bad";
    button(row(table, ringWords(box)), boxOf(first).title, () => reveal(first), "part");
  }
  element("h3", panel, "holds");
  const list = element("table", panel), members = membersOf(id).filter(boxOf);
  for (const member of members.slice(0, 200)) {
    const tr = element("tr", list);
    button(element("th", tr), boxOf(member).title, () => reveal(member), "part");
    element("td", tr, (boxOf(member).lines || []).join(" · "));
  }
  if (members.length > 200) element("p", panel, `and ${(members.length - 200).toLocaleString("en")} more`);
}
