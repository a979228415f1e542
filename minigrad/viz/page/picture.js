// The picture: boxes, frames and arrows as SVG, and the part of it that is seen.

const at = id => document.getElementById(id);
const svg = at("picture"), map = at("map");
const READABLE = 0.77;  // the scale below which text is too small to read
const NEAREST = 1.35;  // the scale at which a small graph is shown
const LINE = 13, TITLE_FONT = "bold 11.5px Helvetica, Arial, sans-serif", FONT = "10.5px Helvetica, Arial, sans-serif";

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
const button = (parent, text, act, className = "") => {
  const made = element("button", parent, text, className);
  made.type = "button";
  made.addEventListener("click", act);
  return made;
};

// ------------------------------------------------------------------------------------------------ what stands where

let picture = null;  // what is drawn: the fold, and the places of all in it
let stage = null;

const pen = document.createElement("canvas").getContext("2d");
function widthOf(text, font) { pen.font = font; return pen.measureText(text).width; }
const titleOf = id => boxOf(id).title + (groupOf(id) ? " ▸" : "");
function sizeOf(id) {
  if (groupOf(id) && state.open.has(id)) return { width: widthOf("▾ " + groupOf(id).title, TITLE_FONT) + 20, height: 0 };
  const lines = boxOf(id).lines || [];
  return { width: Math.max(widthOf(titleOf(id), TITLE_FONT), ...lines.map(line => widthOf(line, FONT))) + 18,
           height: LINE * (1 + lines.length) + 8 };
}

function draw() {
  const shown = fold();
  picture = { ...shown, ...layOut(shown, sizeOf, state.backward) };
  svg.textContent = "";
  const defs = make("defs", {}, svg);
  for (const name of ["head", "lit-head"]) {
    const head = make("marker", { id: name, markerWidth: 8, markerHeight: 8, refX: 7, refY: 3, orient: "auto", markerUnits: "userSpaceOnUse" }, defs);
    make("path", { d: "M0,0 L7,3 L0,6 z" }, head);
  }
  stage = make("g", { id: "stage" }, svg);
  for (const [id, place] of picture.frames) make("rect", { class: "frame", "data-frame": id, ...place, rx: 6 }, stage);
  for (const [arrow, points] of picture.arrows) drawArrow(arrow, points);
  drawLabels();
  for (const id of picture.boxes.keys()) drawBox(id, picture.boxes.get(id));
  for (const [id, place] of picture.frames) drawTitle(id, place);
  drawMap();
  noteReached();
  mark();
}

function drawTitle(id, { x, y }) {
  const g = make("g", { class: "title", id: "box-" + id, "data-id": id, tabindex: 0, role: "button", "aria-expanded": "true",
                        "aria-label": groupOf(id).title }, stage);
  const wide = widthOf("▾ " + groupOf(id).title, TITLE_FONT);
  make("rect", { x: x + 4, y: y + 2, width: wide + 8, height: 16, rx: 3 }, g);
  make("text", { x: x + 8, y: y + 14 }, g, "▾ " + groupOf(id).title);
  make("title", {}, g, "close " + groupOf(id).title);
  g.addEventListener("click", () => toggle(id));
  g.addEventListener("keydown", event => { if (isPress(event)) toggle(id); });
}

// A path that is straight in the layers of boxes, and curved between them.
function pathOf(points) {
  let [x, y] = points[0], path = `M${x},${y}`;
  points.slice(1).forEach(([a, b], k) => {
    if (a === x && b === y) return;  // an arrowhead on a line without length would point nowhere
    const middle = (y + b) / 2;
    path += k % 2 === 0 || a === x ? ` L${a},${b}` : ` C${x},${middle} ${a},${middle} ${a},${b}`;
    [x, y] = [a, b];
  });
  return path;
}

function drawArrow(arrow, points) {
  const path = make("path", { class: "arrow" + (arrow.returns ? " returns" : ""), "data-source": arrow.source, "data-target": arrow.target,
                              d: pathOf(points) }, stage);
  make("title", {}, path, [...arrow.texts].join(", ") + (arrow.count > 1 ? `, ${arrow.count} arrows` : "")
    + (arrow.returns ? ", to the next of the run" : ""));
}

// What flows, once for all arrows from a box that carry the same, beside the end of the arrow at that box.
function drawLabels() {
  const said = new Set();
  for (const [arrow, points] of picture.arrows) {
    const text = [...arrow.texts][0], last = points[points.length - 1];
    if (arrow.returns || !groupOf(arrow.source) && boxOf(arrow.source).kind || said.has(arrow.source + text)) continue;
    said.add(arrow.source + text);
    const upwards = points[0][1] > last[1];
    const [x, y] = upwards ? [last[0], last[1] + 9.5] : state.backward ? [last[0] + 2, last[1] - 3] : [points[1][0], points[1][1] + 9.5];
    make("text", { class: "label", x: x + 4, y }, stage, text + (arrow.texts.size > 1 ? ", …" : ""));
  }
}

function drawBox(id, { x, y, width, height }) {
  const box = boxOf(id), group = Boolean(groupOf(id)), lines = box.lines || [];
  const names = ["box", box.zero ? "zero" : "", box.ring === "failure" ? "failure" : box.ring ? "nonfinite" : ""].filter(Boolean);
  const g = make("g", { class: names.join(" "), id: "box-" + id, "data-id": id, tabindex: 0, role: "button",
                        "aria-label": [box.title, ...lines, ringWords(box)].filter(Boolean).join(", ") }, stage);
  if (group) g.setAttribute("aria-expanded", "false");
  make("title", {}, g, tipOf(id));
  const leaf = !group && box.kind;
  make("rect", { x, y, width, height, rx: leaf ? Math.min(14, height / 2) : 4, fill: box.fill }, g);
  if (group) make("rect", { class: "inner", x: x + 2.5, y: y + 2.5, width: width - 5, height: height - 5, rx: 3 }, g);
  [titleOf(id), ...lines].forEach((line, k) =>
    make("text", { x: x + width / 2, y: y + 4.5 + LINE * (k + 0.75), class: k ? "" : "name" }, g, line));
  if (box.ring) make("text", { class: "why", x: x + width + 5, y: y + 10 }, g, ringWords(box));
  g.addEventListener("click", () => choose(id));
  g.addEventListener("dblclick", () => { if (group) toggle(id); });
  g.addEventListener("keydown", event => { if (isPress(event)) { if (group && state.chosen === id) toggle(id); else choose(id); } });
}

const ringWords = box => ({ failure: (box.lines || []).some(line => line.startsWith("changed in place")) ? "changed in place" : "failed", value: "first value that is not finite", gradient: "first gradient that is not finite" })[box.ring] || "";

function tipOf(id) {
  const known = data.details[id] || {}, group = groupOf(id);
  if (group) return [group.path, group.line, "double-click opens it"].filter(Boolean).join("\n");
  return [...(known.names || []), ...["node", "line", "code"].filter(name => name in known).map(name => word(known[name])), known.failure]
    .filter(Boolean).join("\n");
}

// Whether a key press means a click; the page then does nothing else with it.
function isPress(event) {
  const pressed = event.key === "Enter" || event.key === " ";
  if (pressed) event.preventDefault();
  return pressed;
}

// ------------------------------------------------------------------------------------------------ which part is seen

const room = () => svg.getBoundingClientRect();
const MARGIN = 8;

function move() {
  const { x, y, scale } = state.view;
  stage.setAttribute("transform", `translate(${x},${y}) scale(${scale})`);
  const { width, height } = room();
  const whole = x >= 0 && y >= 0 && x + picture.width * scale <= width + 1 && y + picture.height * scale <= height + 1;
  map.classList.toggle("needed", !whole);
  for (const [name, value] of Object.entries({ x: -x / scale, y: -y / scale, width: width / scale, height: height / scale }))
    at("seen").setAttribute(name, value);
}

// Show all of the graph; if that is too small to be read and `all` is not set, a part of it: that round `id`, or the beginning.
function fit(all = false, id = null) {
  const { width, height } = room();
  const whole = Math.min((width - 2 * MARGIN) / picture.width, (height - 2 * MARGIN) / picture.height, NEAREST);
  const scale = all ? whole : Math.max(whole, READABLE);
  const place = id && (picture.boxes.get(id) || picture.frames.get(id));
  const start = (room, size, from, extent, centre) => size * scale <= room ? (room - size * scale) / 2
    : place ? Math.min(MARGIN, Math.max(room - MARGIN - size * scale, room / 2 - (from + Math.min(extent, room / scale) / 2) * scale))
    : centre ? room / 2 - centre * scale : MARGIN;
  const first = picture.boxes.get([...picture.boxes.keys()][state.backward ? picture.boxes.size - 1 : 0]);
  state.view = { scale, x: start(width, picture.width, place && place.x, place && place.width, first && first.x + first.width / 2),
                 y: start(height, picture.height, place && place.y, place && place.height, 0) };
  move();
}

function zoom(factor, x = room().width / 2, y = room().height / 2) {
  const view = state.view, scale = Math.min(Math.max(view.scale * factor, 0.02), 12);
  view.x = x - (x - view.x) * scale / view.scale;
  view.y = y - (y - view.y) * scale / view.scale;
  view.scale = scale;
  move();
}

// Move the picture by as little as brings a box into sight.
function bringIntoSight(id) {
  const place = picture.boxes.get(id) || picture.frames.get(id), { width, height } = room(), view = state.view;
  if (!place) return;
  const shift = (from, size, offset, room) => {
    const start = offset + from * view.scale, end = start + size * view.scale;
    return start < MARGIN ? MARGIN - start : end > room - MARGIN ? Math.max(room - MARGIN - end, MARGIN - start) : 0;
  };
  view.x += shift(place.x, place.width, view.x, width);
  view.y += shift(place.y, place.height, view.y, height);
  move();
}

const CROWD = 1500;  // boxes that are not opened at once: placing them takes long, and nobody can read them

// Open groups, unless there would then be too many boxes; say whether they are open.
function openAll(ids) {
  if (picture.boxes.size + sum(ids.map(id => membersOf(id).length)) > CROWD) {
    at("said").textContent = `more than ${CROWD.toLocaleString("en")} boxes: search for one of them instead`;
    return false;
  }
  ids.forEach(openGroup);
  draw();
  return true;
}

// Open or close a group, and stay with it.
function toggle(id) {
  if (state.open.delete(id)) draw();
  else if (!openAll([id])) return;
  fit(false, id);
  focusOn(id);
}

function focusOn(id) {
  const place = at("box-" + (picture.frames.has(id) ? id : holder(id)));
  if (place) place.focus({ preventScroll: true });
}

// Open all that `id` stands in, choose it, and bring it into sight.
function reveal(id, which = 0) {
  const closed = ancestors(id).filter(p => !state.open.has(p));
  if (closed.length && openAll(closed)) fit(false, id);
  choose(id, which);
  bringIntoSight(picture.frames.has(id) ? id : holder(id));
  focusOn(id);
}

// ------------------------------------------------------------------------------------------------ the map of all

function drawMap() {
  const { width, height } = picture, scale = Math.min(180 / width, 180 / height);
  map.textContent = "";
  map.setAttribute("viewBox", `0 0 ${width} ${height}`);
  map.setAttribute("width", width * scale);
  map.setAttribute("height", height * scale);
  for (const [, place] of picture.frames) make("rect", { class: "frame", ...place }, map);
  for (const [id, place] of picture.boxes) make("rect", { ...place, fill: boxOf(id).fill, class: "spot", "data-id": id }, map);
  make("rect", { id: "seen" }, map);
}

// Bring what is under the pointer on the map to the middle.
function goTo(event) {
  const place = map.getBoundingClientRect(), { width, height } = room(), { scale } = state.view;
  state.view.x = width / 2 - (event.clientX - place.left) / place.width * picture.width * scale;
  state.view.y = height / 2 - (event.clientY - place.top) / place.height * picture.height * scale;
  move();
}
