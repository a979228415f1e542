// The backward pass, step by step: which node runs, what it receives and sends by which rule, and what is kept from then on.

const steps = data.steps.map(([id, which, kept, got, sent]) => ({ id, which, kept, got, sent }));
const left = [data.peak];  // bytes kept after each step
for (const { kept } of steps) left.push(Math.max(left[left.length - 1] - kept, 0));
let reached = new Map();  // by box: the first step at which the backward pass has reached it

function noteReached() {
  reached = new Map();
  const note = (id, k) => { const box = holder(id); if (!reached.has(box)) reached.set(box, k); };
  steps.forEach(({ id, sent }, k) => {
    note(id, k + 1);
    for (const [, source, , said] of sent) if (said !== null) note(source, k + 1);
  });
}

// Colour what the backward pass has reached by now, light the arrows along which it goes on, and say what it does.
function mark() {
  const k = state.step, now = k ? steps[k - 1] : null, running = now && holder(now.id);
  for (const g of svg.querySelectorAll(".box")) {
    const id = g.dataset.id, box = boxOf(id);
    const plain = k > 0 && !(reached.get(id) <= k) && !box.ring;
    const [fill, text] = plain ? data.kinds[box.kind || (groupOf(id) ? "group" : "operation")] : [box.fill, box.light ? data.light : data.dark];
    g.classList.toggle("chosen", id === state.chosen);
    g.classList.toggle("running", id === running);
    g.querySelector("rect").setAttribute("fill", fill);
    g.style.setProperty("--on", text);
  }
  for (const g of svg.querySelectorAll(".title")) {
    const id = g.dataset.id, holds = now !== null && ancestors(now.id).includes(id);
    g.classList.toggle("running", holds);
    g.classList.toggle("chosen", id === state.chosen);
  }
  light(now, running);
  say();
}

// Light the arrows along which the running node sends gradients, with what it sends.
function light(now, running) {
  for (const old of svg.querySelectorAll(".sent")) old.remove();
  const lit = new Map();
  for (const [, source, , said] of now ? now.sent : []) if (said !== null) listed(lit, `${holder(source)} ${running}`).push(said);
  for (const path of svg.querySelectorAll(".arrow")) {
    const said = lit.get(`${path.dataset.source} ${path.dataset.target}`);
    path.classList.toggle("lit", Boolean(said));
    path.classList.toggle("upwards", Boolean(said) && !state.backward);
    if (said) showSent(path, [...new Set(said)].join(", "));
  }
}

function showSent(path, text) {
  const { x, y } = path.getPointAtLength(path.getTotalLength() / 2), wide = widthOf(text, "bold 10.5px Helvetica, Arial, sans-serif") + 10;
  const g = make("g", { class: "sent" }, stage);
  make("rect", { x: x - wide / 2, y: y - 8, width: wide, height: 16, rx: 8 }, g);
  make("text", { x, y: y + 3.8 }, g, text);
}

function say() {
  const k = state.step, count = steps.length.toLocaleString("en");
  const all = data.ran > steps.length ? `the first ${count} of ${data.ran.toLocaleString("en")} steps` : `${count} step${steps.length === 1 ? "" : "s"}`;
  at("said").textContent = !steps.length ? "no backward pass" : !k ? `backward pass: ${all}, ${bytes(data.peak)} kept for it`
    : `step ${k.toLocaleString("en")} of ${data.ran > steps.length ? all.replace(" steps", "") : count}: ${boxOf(steps[k - 1].id).title} · ${bytes(left[k])} of ${bytes(data.peak)} still kept`;
  at("step").setAttribute("aria-valuetext", at("said").textContent);
  at("now").setAttribute("x", 100 * k / Math.max(steps.length, 1) - 0.15);
}

// Go to step `k`: 0 is before the backward pass.
function step(k) {
  state.step = Math.min(Math.max(k, 0), steps.length);
  at("step").value = state.step;
  if (!state.step) { state.chosen = null; showHelp(); mark(); return; }
  const now = steps[state.step - 1], box = holder(now.id);
  choose(now.id, now.which);
  showStep(now, box);
  bringIntoSight(box);
}

// What the step does, above all else that is known of its operation.
function showStep(now, box) {
  const part = element("section", null, null, "step");
  panel.insertBefore(part, panel.firstChild);
  element("h3", part, `step ${state.step.toLocaleString("en")} of ${steps.length.toLocaleString("en")} of the backward pass`);
  const known = data.details[now.id], source = data.sources[word(known.node)] || { rules: {} };
  const alike = (data.alike[now.id] || []).length;
  element("p", part, `${boxOf(now.id).title}${alike ? ` (${now.which + 1} of ${alike + 1} alike)` : ""} `
    + (now.got === null ? "runs" : `receives g = ${now.got}`));
  if (box !== now.id) button(part, `open ${boxOf(box).title} to see it`, () => {
    if (!openAll(ancestors(now.id).filter(p => !state.open.has(p)))) return;
    fit(false, now.id);
    step(state.step);
  }, "main");
  for (const [argument, from, which, said] of now.sent) {
    if (said === null) continue;
    const rule = source.rules[argument] || source.rules[""] || Object.entries(source.rules).find(([names]) => names.split(/\W+/).includes(argument))?.[1];
    const p = element("p", part, null, "sends");
    p.append("sends ");
    element("b", p, said);
    p.append(" to ");
    button(p, boxOf(from).title, () => reveal(from, which), "part");
    if (!rule) continue;
    element("pre", part, rule);
    const given = givenTo(rule, now, known);
    if (given) element("p", part, `with ${given}`, "given");
  }
  element("p", part, now.kept ? `frees ${bytes(now.kept)}; ${bytes(left[state.step])} are still kept` : "frees nothing");
}

// The numbers that a rule is given, by the names of its parameters.
function givenTo(rule, now, known) {
  const names = (/def \w+\(([^)]*)\)/.exec(rule) || ["", ""])[1].split(",").map(p => p.split(":")[0].trim());
  return names.flatMap(name => {
    const sent = now.sent.find(([argument]) => argument === name);
    const said = name === "g" ? now.got : name === "out" ? inShort(numbersOf(now.id, now.which).value)
      : sent ? inShort(numbersOf(sent[1], sent[2]).value) : (known.settings || {})[name];
    return said ? [`${name} = ${said}`] : [];
  }).join(", ");
}

// What is kept over the steps, behind the slider.
function drawKept() {
  const chart = at("kept"), every = Math.max(1, Math.ceil(left.length / 600)), most = Math.max(data.peak, 1);
  const points = left.map((n, k) => [100 * k / Math.max(steps.length, 1), 20 - 19 * n / most]).filter((_, k) => k % every === 0 || k === left.length - 1);
  let path = "M0,20";
  points.forEach(([x, y], k) => { path += k ? ` L${x},${points[k - 1][1]} L${x},${y}` : ` L${x},${y}`; });
  make("path", { d: `${path} L100,20 z` }, chart);
  make("rect", { id: "now", x: 0, y: 0, width: 0.3, height: 20 }, chart);
}

let playing = null;
function play(on = playing === null) {
  clearInterval(playing);
  playing = null;
  if (on && steps.length) {
    if (state.step === steps.length) step(0);
    playing = setInterval(() => { step(state.step + 1); if (state.step === steps.length) play(false); }, Math.min(Math.max(20000 / steps.length, 80), 1200));
  }
  at("play").textContent = playing === null ? "play" : "pause";
}
