// The user's hands: pointer, keys, buttons and search; and how the page begins.

function search() {
  const wanted = at("search").value.trim().toLowerCase(), list = at("found");
  list.textContent = "";
  list.hidden = !wanted;
  if (!wanted) return [];
  const has = text => text !== undefined && text.toLowerCase().includes(wanted);
  const words = new Set(data.words.flatMap((text, k) => has(text) ? [k] : []));
  const hits = Object.keys(data.boxes).filter(id => {
    const known = data.details[id] || {}, group = groupOf(id) || {};
    return has(boxOf(id).title) || has(group.path) || (known.names || []).some(has) || ["line", "code", "node"].some(name => words.has(known[name]))
      || (data.alike[id] || []).some(other => (other.names || []).some(has));
  });
  const distance = id => { const title = boxOf(id).title.toLowerCase(); return title === wanted ? 0 : title.includes(wanted) ? 1 : 2; };
  hits.sort((a, b) => distance(a) - distance(b));  // what is called so before what stands on such a line
  for (const id of hits.slice(0, 60)) {
    const group = groupOf(id), line = group ? group.path || group.line || "" : word(data.details[id].line) || "";
    const hit = button(element("li", list), boxOf(id).title, () => { list.hidden = true; reveal(id); });
    element("small", hit, line.replace(/^.*[\\/]/, ""));
  }
  if (hits.length !== 1) element("li", list, hits.length ? `${hits.length.toLocaleString("en")} found` : "nothing found", "count");
  return hits;
}

at("search").addEventListener("input", search);
at("search").addEventListener("keydown", event => {
  if (event.key === "Enter") { const hits = search(); if (hits.length) { at("found").hidden = true; reveal(hits[0]); } }
  if (event.key === "Escape") { at("search").value = ""; search(); svg.focus(); }
  if (event.key === "ArrowDown" && at("found").querySelector("button")) { event.preventDefault(); at("found").querySelector("button").focus(); }
});
at("found").addEventListener("keydown", event => {
  const next = { ArrowDown: "nextElementSibling", ArrowUp: "previousElementSibling" }[event.key];
  if (event.key === "Escape") { at("found").hidden = true; at("search").focus(); }
  if (!next) return;
  event.preventDefault();
  const other = event.target.closest("li")[next];
  (other && other.querySelector("button") || at("search")).focus();
});

svg.addEventListener("wheel", event => {
  event.preventDefault();
  const { left, top } = room();
  zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - left, event.clientY - top);
}, { passive: false });

// One pointer drags the picture; two zoom it.
const held = new Map();
let dragged = false;
svg.addEventListener("pointerdown", event => { held.set(event.pointerId, [event.clientX, event.clientY]); dragged = false; });
svg.addEventListener("pointermove", event => {
  const before = held.get(event.pointerId);
  if (!before) return;
  const now = [event.clientX, event.clientY];
  if (!dragged && Math.hypot(now[0] - before[0], now[1] - before[1]) < 4) return;
  if (!dragged) { dragged = true; svg.setPointerCapture(event.pointerId); }
  const other = [...held].find(([id]) => id !== event.pointerId);
  if (other) {
    const [x, y] = other[1], { left, top } = room();
    zoom(Math.hypot(now[0] - x, now[1] - y) / Math.max(Math.hypot(before[0] - x, before[1] - y), 1), x - left, y - top);
  } else {
    state.view.x += now[0] - before[0];
    state.view.y += now[1] - before[1];
    move();
  }
  held.set(event.pointerId, now);
});
for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, event => held.delete(event.pointerId));
map.addEventListener("pointerdown", event => { map.setPointerCapture(event.pointerId); goTo(event); });
map.addEventListener("pointermove", event => { if (event.buttons) goTo(event); });

at("fit").addEventListener("click", () => fit(true));
at("in").addEventListener("click", () => zoom(1.3));
at("out").addEventListener("click", () => zoom(1 / 1.3));
at("unfold").addEventListener("click", () => {
  if (openAll([...picture.boxes.keys()].filter(groupOf))) fit();
});
at("refold").addEventListener("click", () => { state.open = new Set(data.open); draw(); fit(); });
at("turn").addEventListener("click", () => { state.backward = !state.backward; draw(); fit(); });
at("theme").addEventListener("click", () => {
  const { dataset } = document.documentElement;
  const dark = dataset.theme ? dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  dataset.theme = dark ? "light" : "dark";
});

at("step").max = steps.length;
at("step").addEventListener("input", event => { play(false); step(+event.target.value); });
at("back").addEventListener("click", () => { play(false); step(state.step - 1); });
at("next").addEventListener("click", () => { play(false); step(state.step + 1); });
at("play").addEventListener("click", () => play());
for (const name of ["back", "next", "play", "step"]) at(name).disabled = !steps.length;

// From the box that has the focus to the nearest in the direction of an arrow key.
function goOn(id, [dx, dy]) {
  const centre = place => [place.x + place.width / 2, place.y + place.height / 2];
  const places = [...picture.boxes, ...picture.frames], [x, y] = centre(picture.boxes.get(id) || picture.frames.get(id));
  let best = null, nearest = Infinity;
  for (const [other, place] of places) {
    const [a, b] = centre(place), along = (a - x) * dx + (b - y) * dy, aside = Math.abs((a - x) * dy) + Math.abs((b - y) * dx);
    if (other === id || picture.frames.has(other) || along < 1) continue;
    if (along + 2 * aside < nearest) { nearest = along + 2 * aside; best = other; }
  }
  if (best !== null) { bringIntoSight(best); focusOn(best); }
}

document.addEventListener("keydown", event => {
  if (event.target.tagName === "INPUT" || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  const id = event.target.dataset && event.target.dataset.id;
  const act = { "/": () => at("search").focus(), "+": () => zoom(1.3), "=": () => zoom(1.3), "-": () => zoom(1 / 1.3), 0: () => fit(true),
                ",": () => { play(false); step(state.step - 1); }, ".": () => { play(false); step(state.step + 1); } }[event.key];
  if (way && id && !event.shiftKey) goOn(id, way);
  else if (way && !panel.contains(event.target)) { state.view.x -= 40 * way[0]; state.view.y -= 40 * way[1]; move(); }
  else if (act) act();
  else return;
  event.preventDefault();
});
svg.addEventListener("focusin", event => { if (event.target.dataset.id && event.target.matches(":focus-visible")) bringIntoSight(event.target.dataset.id); });
addEventListener("resize", () => { if (!svg.hasAttribute("viewBox")) fit(); });

// On paper is all of the graph, whatever part of it is on the screen.
addEventListener("beforeprint", () => {
  stage.removeAttribute("transform");
  svg.setAttribute("viewBox", `${-MARGIN} ${-MARGIN} ${picture.width + 2 * MARGIN} ${picture.height + 2 * MARGIN}`);
});
addEventListener("afterprint", () => { svg.removeAttribute("viewBox"); move(); });

function showHelp() {
  panel.textContent = "";
  panel.className = "help";
  element("h2", panel, "How to read this");
  for (const text of [
    "Values flow along the arrows; what stands on an arrow is the shape. Round boxes are inputs and parameters; boxes with a double border are groups, and open.",
    "Colours tell the gradient: the hue its sign, the strength its size. The legend is above.",
    "Click a box for its numbers, its line and its derivative rule. Double-click a group to open it, click the title of an open one to close it.",
    "The slider below goes through the backward pass: the number on a lit arrow is what is sent along it."]) element("p", panel, text);
  const table = element("table", panel);
  for (const [keys, text] of [["/", "search"], ["Tab, ← ↑ ↓ →", "go from box to box"], ["Enter", "choose a box; again: open it"],
    [", and .", "one step back, one on"], ["+ − 0", "nearer, farther, all"], ["⇧ ← ↑ ↓ →", "move the picture"]]) row(table, keys, text);
}

at("title").textContent = data.title || "computation";
if (data.failure) { at("failure").textContent = data.failure; at("failure").hidden = false; }
if (data.coloured) {
  element("span", at("legend"), "gradient, rms:");
  for (const [name, colours] of data.legend) {
    const span = element("span", at("legend"));
    for (const [colour, text] of colours) { const i = element("i", span); i.style.background = colour; i.title = text; }
    span.append(` ${name}` + (colours.length > 1 ? ` ${colours[0][1]} … ${colours[colours.length - 1][1]}` : ""));
  }
}
drawKept();
showHelp();
draw();
fit();
