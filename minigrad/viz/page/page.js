"use strict";
// Shows the graph in #data: which groups are open, where everything stands, what is known of what is chosen, and the backward pass.

const data = JSON.parse(document.getElementById("data").textContent);
const at = id => document.getElementById(id);
const svg = at("picture");
const make = (name, attributes = {}, parent = null, text = null) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== null) made.textContent = text;
  if (parent) parent.appendChild(made);
  return made;
};
const element = (name, parent, text = null, className = "") => {
  const made = document.createElement(name);
  if (text !== null) made.textContent = text;
  if (className) made.className = className;
  if (parent) parent.appendChild(made);
  return made;
};
const state = { open: new Set(data.open), chosen: null, step: 0, backward: data.backward, view: { x: 0, y: 0, scale: 1 },
                size: { width: 1, height: 1 } };

// ------------------------------------------------------------------------------------------------ what is shown

const parentOf = id => data.boxes[id].parent;

// The box that holds `id`: itself, or the outermost closed group that it stands in.
function holder(id) {
  let box = id;
  for (let p = parentOf(id); p; p = parentOf(p)) if (!state.open.has(p)) box = p;
  return box;
}

// What is drawn in a group: its members; of a run of groups what the first of them holds.
function membersOf(id) {
  const group = data.groups[id];
  return group.kind === "run" && data.groups[group.members[0]] ? membersOf(group.members[0]) : group.members;
}

// The boxes, the frames with what stands in them, and the arrows between boxes.
function fold() {
  const boxes = [], frames = [];
  const walk = (ids, frame) => {
    for (const id of ids) {
      if (!data.boxes[id]) continue;
      if (data.groups[id] && state.open.has(id)) {
        frames.push([id, frame]);
        openFirst(id);
        walk(membersOf(id), id);
      } else boxes.push([id, frame]);
    }
  };
  walk(data.root, "");
  const arrows = new Map();
  for (const [source, target, runs, shapes, count] of data.arrows) {
    const a = holder(source), b = holder(target);
    const returns = runs.some(run => state.open.has(run) && isShown(run));
    if (a === b && !returns) continue;
    const key = a + " " + b + (returns ? " r" : "");
    const found = arrows.get(key) || { source: a, target: b, returns, shapes: new Set(), count: 0 };
    shapes.forEach(shape => found.shapes.add(shape));
    found.count += count;
    arrows.set(key, found);
  }
  return { boxes, frames, arrows: [...arrows.values()] };
}

const isShown = id => { for (let p = parentOf(id); p; p = parentOf(p)) if (!state.open.has(p)) return false; return true; };

// The groups that an open run draws in its own frame are open with it.
function openFirst(id) {
  const group = data.groups[id];
  if (group.kind === "run" && data.groups[group.members[0]]) { state.open.add(group.members[0]); openFirst(group.members[0]); }
}

// ------------------------------------------------------------------------------------------------ where it stands

const pen = document.createElement("canvas").getContext("2d");
function widthOf(text, font) { pen.font = font; return pen.measureText(text).width; }
function linesOf(id) { const box = data.boxes[id]; return [...box.lines]; }
function sizeOf(id) {
  const box = data.boxes[id];
  const wide = Math.max(widthOf(box.title + (data.groups[id] ? " ▸" : ""), "bold 11px Helvetica, Arial, sans-serif"),
                        ...linesOf(id).map(line => widthOf(line, "10px Helvetica, Arial, sans-serif")));
  return { width: wide + 18, height: 13 * (1 + linesOf(id).length) + 9 };
}

function layOut(shown) {
  const graph = new dagre.graphlib.Graph({ compound: true, multigraph: true });
  graph.setGraph({ rankdir: "TB", nodesep: 22, ranksep: 30, edgesep: 12, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const [id, frame] of shown.frames) { graph.setNode(id, { frame: true }); if (frame) graph.setParent(id, frame); }
  for (const [id, frame] of shown.boxes) { graph.setNode(id, sizeOf(id)); if (frame) graph.setParent(id, frame); }
  const place = new Map(shown.boxes.map(([id], k) => [id, k]));
  shown.arrows.forEach((arrow, k) => {
    if (arrow.source === arrow.target) return;
    arrow.flipped = (place.get(arrow.source) > place.get(arrow.target)) !== state.backward;
    const [a, b] = arrow.flipped ? [arrow.target, arrow.source] : [arrow.source, arrow.target];
    graph.setEdge(a, b, { weight: arrow.returns ? 0 : 1 }, "e" + k);
    arrow.edge = { v: a, w: b, name: "e" + k };
  });
  dagre.layout(graph);
  return graph;
}

// ------------------------------------------------------------------------------------------------ drawing

let stage = null;
function draw() {
  const shown = fold();
  const graph = layOut(shown);
  svg.textContent = "";
  const defs = make("defs", {}, svg);
  const head = make("marker", { id: "head", markerWidth: 8, markerHeight: 8, refX: 7, refY: 3, orient: "auto" }, defs);
  make("path", { d: "M0,0 L7,3 L0,6 z", fill: "var(--line)" }, head);
  stage = make("g", { id: "stage" }, svg);
  let width = 1, height = 1, left = 0, top = 0;
  for (const id of graph.nodes()) {
    const n = graph.node(id);
    width = Math.max(width, n.x + n.width / 2); height = Math.max(height, n.y + n.height / 2);
    left = Math.min(left, n.x - n.width / 2); top = Math.min(top, n.y - n.height / 2);
  }
  state.size = { left, top: top - 14, width: width + 16 - left, height: height + 30 - top };
  for (const [id] of shown.frames) {
    const n = graph.node(id);
    make("rect", { class: "frame", "data-frame": id, x: n.x - n.width / 2, y: n.y - n.height / 2 - 12, width: n.width,
                   height: n.height + 16, rx: 6 }, stage);
    const title = make("text", { class: "title", x: n.x - n.width / 2 + 7, y: n.y - n.height / 2 + 1, tabindex: 0, role: "button",
                                 "aria-label": "close " + data.groups[id].title }, stage, "▾ " + data.groups[id].title);
    title.addEventListener("click", () => toggle(id));
    title.addEventListener("keydown", event => { if (event.key === "Enter" || event.key === " ") { event.preventDefault(); toggle(id); } });
  }
  const said = new Set();
  for (const arrow of shown.arrows) drawArrow(arrow, graph, said);
  for (const [id] of shown.boxes) drawBox(id, graph.node(id));
  move();
  mark();
}

function drawArrow(arrow, graph, said) {
  const attributes = { class: "arrow" + (arrow.returns ? " returns" : ""), "marker-end": "url(#head)",
                       "data-source": arrow.source, "data-target": arrow.target };
  if (!arrow.edge) {
    const n = graph.node(arrow.source), x = n.x + n.width / 2;
    make("path", { ...attributes, d: `M${x},${n.y + 8} C${x + 26},${n.y + 14} ${x + 26},${n.y - 14} ${x},${n.y - 8}` }, stage);
    return;
  }
  const points = [...graph.edge(arrow.edge).points];
  const ends = [graph.node(arrow.edge.v), graph.node(arrow.edge.w)];
  points[0] = { x: points[0].x, y: ends[0].y + ends[0].height / 2 };
  points[points.length - 1] = { x: points[points.length - 1].x, y: ends[1].y - ends[1].height / 2 };
  // A gradient flows against the value: with the graph turned round, the head is at the other end.
  const flow = arrow.flipped !== state.backward ? points.slice().reverse() : points;
  const drawn = state.backward ? flow.slice().reverse() : flow;
  let path = `M${drawn[0].x},${drawn[0].y}`;
  for (let k = 1; k < drawn.length; k++) {
    const a = drawn[k - 1], b = drawn[k], middle = (a.y + b.y) / 2;
    path += ` C${a.x},${middle} ${b.x},${middle} ${b.x},${b.y}`;
  }
  make("title", {}, make("path", { ...attributes, d: path }, stage), [...arrow.shapes].join(", ") + (arrow.count > 1 ? `, ${arrow.count} arrows` : ""));
  const text = [...arrow.shapes][0] || "";
  if (text && !arrow.returns && (data.groups[arrow.source] || data.boxes[arrow.source].kind === "operation") && !said.has(arrow.source + text)) {
    said.add(arrow.source + text);
    const start = arrow.flipped ? points[points.length - 1] : points[0];
    make("text", { class: "label", x: start.x + 4, y: start.y + (start === points[0] ? 10 : -4) }, stage, text + (arrow.shapes.size > 1 ? ", …" : ""));
  }
}

function drawBox(id, n) {
  const box = data.boxes[id], group = Boolean(data.groups[id]);
  const names = ["box"];
  if (box.zero) names.push("zero");
  if (box.ring) names.push(box.ring === "failure" ? "failure" : "nonfinite");
  const g = make("g", { class: names.join(" "), id: "box-" + id, "data-id": id, tabindex: 0, role: "button",
                        "aria-label": [box.title, ...box.lines].join(", ") + (group ? "; opens" : "") }, stage);
  make("title", {}, g, box.tip || box.title);
  const x = n.x - n.width / 2, y = n.y - n.height / 2;
  const leaf = !group && box.kind !== "operation";
  make("rect", { x, y, width: n.width, height: n.height, rx: leaf ? Math.min(14, n.height / 2) : 4, fill: box.fill }, g);
  if (group) make("rect", { x: x + 2.5, y: y + 2.5, width: n.width - 5, height: n.height - 5, rx: 3, fill: "none", stroke: box.text,
                            "stroke-opacity": 0.3 }, g);
  [box.title + (group ? " ▸" : ""), ...linesOf(id)].forEach((line, k) =>
    make("text", { x: n.x, y: y + 5 + 13 * (k + 0.75), class: k ? "" : "name", fill: box.text }, g, line));
  g.addEventListener("click", () => choose(id));
  g.addEventListener("dblclick", event => { event.stopPropagation(); if (group) toggle(id); });
  g.addEventListener("keydown", event => {
    if (event.key === "Enter" || event.key === " ") { event.preventDefault(); group && state.chosen === id ? toggle(id) : choose(id); }
  });
}

function move() {
  const { x, y, scale } = state.view;
  stage.setAttribute("transform", `translate(${x},${y}) scale(${scale})`);
}

function fit() {
  const room = svg.getBoundingClientRect(), { left, top, width, height } = state.size;
  const scale = Math.min(room.width / width, room.height / height, 1.6);
  state.view = { scale, x: (room.width - width * scale) / 2 - left * scale, y: (room.height - height * scale) / 2 - top * scale };
  move();
}

function zoom(factor, x = null, y = null) {
  const room = svg.getBoundingClientRect();
  const px = x === null ? room.width / 2 : x, py = y === null ? room.height / 2 : y, view = state.view;
  const scale = Math.min(Math.max(view.scale * factor, 0.02), 12);
  view.x = px - (px - view.x) * scale / view.scale;
  view.y = py - (py - view.y) * scale / view.scale;
  view.scale = scale;
  move();
}

function toggle(id) {
  if (state.open.has(id)) state.open.delete(id); else state.open.add(id);
  draw(); fit();
  const place = document.getElementById("box-" + holder(id));
  if (place) place.focus({ preventScroll: true });
}

// Open all that `id` stands in, choose it, and bring it to the middle.
function reveal(id) {
  for (let p = parentOf(id); p; p = parentOf(p)) state.open.add(p);
  draw(); fit(); choose(id);
}

// ------------------------------------------------------------------------------------------------ what is known

const number = x => typeof x !== "number" ? String(x) : x === 0 ? "0" :
  (Math.abs(x) < 1e-3 || Math.abs(x) >= 1e5 ? x.toExponential(3) : String(Number(x.toPrecision(5)))).replace("-", "−");
const bytes = n => n < 1024 ? `${n} B` : n < 2 ** 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 2 ** 20).toFixed(1)} MiB`;
const shapeText = shape => Array.isArray(shape[0]) ? shape.map(shapeText).join(", ") : shape.join("×") || "scalar";

function row(table, name, text) { const tr = element("tr", table); element("td", tr, name); element("td", tr, text); return tr; }

function statistics(panel, heading, found) {
  if (!found) return;
  element("h3", panel, heading);
  const table = element("table", panel);
  if (found.value !== null && found.value !== undefined) { row(table, "the element", number(found.value)); return; }
  for (const name of ["mean", "rms", "min", "max"]) if (found[name] !== null) row(table, name, number(found[name]));
  row(table, "zeros", `${(100 * found.zeros).toFixed(1)} % of ${found.count.toLocaleString("en")}`);
  if (found.nonfinite) row(table, "not finite", found.nonfinite.toLocaleString("en"));
  if (!found.histogram.length) return;
  const most = Math.max(...found.histogram), bars = make("svg", { class: "bars", width: 300, height: 46, role: "img", "aria-label": "histogram" });
  found.histogram.forEach((count, k) => make("rect", { x: k * 300 / found.histogram.length, y: 44 - 42 * count / most,
    width: 300 / found.histogram.length - 1, height: 42 * count / most + 1 }, bars));
  panel.appendChild(bars);
}

function choose(id) {
  state.chosen = id;
  const panel = at("panel");
  panel.textContent = "";
  const box = data.boxes[id], group = data.groups[id];
  element("h2", panel, box.title);
  if (group) return groupPanel(panel, id, group);
  const known = data.details[id], alike = data.alike[id] || [];
  const table = element("table", panel);
  for (const [name, value] of Object.entries(known.settings || {})) row(table, name, value);
  if (known.names) row(table, "names", known.names.join(", "));
  if (known.kind) row(table, "kind", known.kind);
  if (known.shape || known.dtype) row(table, "result", `${shapeText(known.shape || [])} ${known.dtype || ""}`);
  if (known.line) row(table, "line", known.line);
  if (known.kept) row(table, "kept", `${bytes(known.kept)} (${(known.keeps || []).join(", ")})`);
  if (known.derivative) row(table, "derivative", String(known.derivative));
  if (known.seconds) row(table, "time", `${(known.seconds * 1e3).toFixed(3)} ms forward` +
    (known.backward_seconds ? `, ${(known.backward_seconds * 1e3).toFixed(3)} ms backward` : ""));
  if (known.failure) row(table, "failure", known.failure);
  if (known.code) element("pre", panel, known.code);
  const numbers = element("div", panel);
  const show = k => {
    numbers.textContent = "";
    const of = k ? alike[k - 1] : known;
    if (k && of.names) element("p", numbers, of.names.join(", "));
    statistics(numbers, "value", of.value);
    statistics(numbers, "gradient", of.gradient);
  };
  if (alike.length) {
    const label = element("label", null, `1 of ${alike.length + 1} alike `);
    const choice = element("input", label);
    Object.assign(choice, { type: "range", min: 0, max: alike.length, value: 0 });
    choice.addEventListener("input", () => { label.firstChild.textContent = `${+choice.value + 1} of ${alike.length + 1} alike `; show(+choice.value); });
    panel.insertBefore(label, numbers);
  }
  show(0);
  const source = data.sources[known.node];
  if (source && source.forward) { element("h3", panel, "forward"); element("pre", panel, source.forward); }
  for (const [argument, rule] of Object.entries(source ? source.rules : {})) {
    if (!rule) continue;
    element("h3", panel, argument ? `derivative by ${argument}` : "backward");
    element("pre", panel, rule);
  }
  mark();
}

function groupPanel(panel, id, group) {
  const table = element("table", panel);
  if (group.path) row(table, "module", group.path);
  if (group.line) row(table, "line", group.line);
  data.boxes[id].lines.forEach((line, k) => row(table, k ? "" : "is", line));
  const button = element("button", panel, state.open.has(id) ? "close" : "open");
  button.addEventListener("click", () => toggle(id));
  element("h3", panel, "holds");
  const list = element("table", panel);
  for (const member of membersOf(id).slice(0, 500)) {
    const tr = row(list, "", data.boxes[member].lines.join(" · "));
    const part = element("button", tr.firstChild, data.boxes[member].title, "part");
    part.addEventListener("click", () => reveal(member));
  }
  mark();
}

// ------------------------------------------------------------------------------------------------ the backward pass

// Colour what the backward pass has reached by the step, and mark what runs in it.
function mark() {
  const steps = data.steps, k = state.step;
  const running = k && steps.length ? holder(steps[k - 1][0]) : null;
  const reached = new Set(steps.slice(0, k).flatMap(step => [holder(step[0]), ...step[3].filter(s => s[2] !== null).map(s => holder(s[1]))]));
  for (const g of svg.querySelectorAll(".box")) {
    const id = g.dataset.id, box = data.boxes[id];
    g.classList.toggle("chosen", id === state.chosen);
    g.classList.toggle("running", id === running);
    const plain = k && !reached.has(id) && !box.ring;
    const [fill, text] = plain ? data.kinds[box.kind] || data.kinds.operation : [box.fill, box.text];
    g.querySelector("rect").setAttribute("fill", fill);
    for (const line of g.querySelectorAll("text")) line.setAttribute("fill", text);
  }
  const lit = new Set(running ? steps[k - 1][3].map(s => holder(s[1]) + " " + running) : []);
  for (const path of svg.querySelectorAll(".arrow")) path.classList.toggle("lit", lit.has(path.dataset.source + " " + path.dataset.target));
  at("said").textContent = sayStep(k);
}

function sayStep(k) {
  const steps = data.steps;
  if (!steps.length) return "no backward pass";
  if (!k) return `backward pass: ${steps.length.toLocaleString("en")} steps, ${bytes(data.peak)} kept for it`;
  const [id, kept, got, sent] = steps[k - 1];
  const left = data.peak - steps.slice(0, k).reduce((sum, step) => sum + step[1], 0);
  const parts = [`step ${k} of ${steps.length}: ${data.boxes[id].title}`];
  if (got !== null) parts.push(`receives ${number(got)}`);
  const said = sent.filter(s => s[2] !== null).map(s => `${s[0] || "its argument"} ${number(s[2])}`);
  if (said.length) parts.push(`sends ${said.join(", ")}`);
  parts.push(kept ? `frees ${bytes(kept)}, ${bytes(Math.max(left, 0))} left` : `${bytes(Math.max(left, 0))} kept`);
  return parts.join(" · ");
}

function step(k) {
  state.step = Math.min(Math.max(k, 0), data.steps.length);
  at("step").value = state.step;
  mark();
}

// ------------------------------------------------------------------------------------------------ search

function search() {
  const wanted = at("search").value.trim().toLowerCase(), list = at("found");
  list.textContent = "";
  list.hidden = !wanted;
  if (!wanted) return [];
  const hits = Object.keys(data.boxes).filter(id => {
    const known = data.details[id] || {}, group = data.groups[id] || {};
    return [data.boxes[id].title, known.line, known.code, known.node, group.path, ...(known.names || [])]
      .some(text => text && text.toLowerCase().includes(wanted));
  }).slice(0, 60);
  for (const id of hits) {
    const group = data.groups[id], known = data.details[id];
    const button = element("button", element("li", list), `${data.boxes[id].title}  ${group ? group.path : (known.line || "").replace(/^.*[\\/]/, "")}`);
    button.addEventListener("click", () => { list.hidden = true; reveal(id); });
  }
  if (!hits.length) element("li", list, "nothing found");
  return hits;
}

// ------------------------------------------------------------------------------------------------ the user's hands

svg.addEventListener("wheel", event => {
  event.preventDefault();
  const room = svg.getBoundingClientRect();
  zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - room.left, event.clientY - room.top);
}, { passive: false });
let held = null;
svg.addEventListener("pointerdown", event => { held = { x: event.clientX - state.view.x, y: event.clientY - state.view.y, id: event.pointerId, moved: false }; });
svg.addEventListener("pointermove", event => {
  if (!held) return;
  const x = event.clientX - held.x, y = event.clientY - held.y;
  if (!held.moved && Math.abs(x - state.view.x) + Math.abs(y - state.view.y) < 4) return;
  if (!held.moved) { held.moved = true; svg.setPointerCapture(held.id); }
  Object.assign(state.view, { x, y });
  move();
});
for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, () => { held = null; });

at("fit").addEventListener("click", fit);
at("in").addEventListener("click", () => zoom(1.3));
at("out").addEventListener("click", () => zoom(1 / 1.3));
at("unfold").addEventListener("click", () => {
  const shown = fold().boxes.map(([id]) => id).filter(id => data.groups[id]);
  if (fold().boxes.length + shown.reduce((sum, id) => sum + membersOf(id).length, 0) > 1500) {
    at("said").textContent = "more than 1,500 boxes: open single groups instead";
    return;
  }
  shown.forEach(id => state.open.add(id));
  draw(); fit();
});
at("refold").addEventListener("click", () => { state.open = new Set(data.open); draw(); fit(); });
at("turn").addEventListener("click", () => { state.backward = !state.backward; draw(); fit(); });
at("theme").addEventListener("click", () => {
  const dark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  document.documentElement.dataset.theme = dark ? "light" : "dark";
});
at("search").addEventListener("input", search);
at("search").addEventListener("keydown", event => {
  if (event.key === "Enter") { const hits = search(); if (hits.length) { at("found").hidden = true; reveal(hits[0]); } }
  if (event.key === "Escape") { at("search").value = ""; search(); svg.focus(); }
});
at("step").max = data.steps.length;
at("step").addEventListener("input", event => step(+event.target.value));
at("back").addEventListener("click", () => step(state.step - 1));
at("next").addEventListener("click", () => step(state.step + 1));
document.addEventListener("keydown", event => {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey) return;
  const pan = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] }[event.key];
  if (pan) { state.view.x += pan[0]; state.view.y += pan[1]; move(); event.preventDefault(); }
  else if (event.key === "/") { event.preventDefault(); at("search").focus(); }
  else if (event.key === "+" || event.key === "=") zoom(1.3);
  else if (event.key === "-") zoom(1 / 1.3);
  else if (event.key === "0") fit();
  else if (event.key === ",") step(state.step - 1);
  else if (event.key === ".") step(state.step + 1);
});
addEventListener("resize", fit);

at("title").textContent = data.title || "computation";
if (data.failure) { at("failure").textContent = data.failure; at("failure").hidden = false; }
if (Object.values(data.details).some(known => known.gradient)) {
  for (const [word, colours] of data.legend) {
    const span = element("span", at("legend"));
    for (const [colour, text] of colours) { const i = element("i", span); i.style.background = colour; i.title = text; }
    element("span", span, ` ${word}` + (colours.length > 1 ? ` ${colours[0][1]}…${colours[colours.length - 1][1]}` : ""));
  }
}
element("p", at("panel"), "Click a box for its numbers, its line and its derivative rule; double-click a group, or click the title of "
  + "an open one, to open or close it. / searches, + − 0 zoom, , and . step through the backward pass.");
draw();
fit();
