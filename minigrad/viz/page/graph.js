"use strict";
// What is known of the computation, and which boxes, frames and arrows show it: the fold of what is open, as folding.py makes it.

const data = JSON.parse(document.getElementById("data").textContent);
const word = k => data.words[k];  // texts that many things share are in the page once
const state = { open: new Set(data.open), chosen: null, which: 0, step: 0, backward: data.backward, view: { x: 0, y: 0, scale: 1 } };

const boxOf = id => data.boxes[id];
const groupOf = id => data.groups[id];
const parentOf = id => boxOf(id).parent || "";

// The groups that `id` stands in, the innermost first.
function ancestors(id) {
  const found = [];
  for (let p = parentOf(id); p; p = parentOf(p)) found.push(p);
  return found;
}

// The box that holds `id`: itself, or the outermost closed group that it stands in.
function holder(id) {
  let box = id;
  for (let p = parentOf(id); p; p = parentOf(p)) if (!state.open.has(p)) box = p;
  return box;
}

// What is drawn in a group: its members; of a run of groups what the first of them holds.
function membersOf(id) {
  const group = groupOf(id), first = group.members[0];
  return group.kind === "run" && groupOf(first) ? membersOf(first) : group.members;
}

// The groups that an open run draws in its own frame are open with it.
function openGroup(id) {
  state.open.add(id);
  const group = groupOf(id);
  if (group.kind === "run" && groupOf(group.members[0])) openGroup(group.members[0]);
}

// Whether nothing that `id` stands in is closed.
const isShown = id => ancestors(id).every(p => state.open.has(p));

// The boxes and frames in the order of computation, what is drawn in each frame ("" is all of it), and the arrows between boxes.
function fold() {
  const boxes = [], frames = [], members = new Map();
  const walk = (ids, frame) => {
    members.set(frame, ids.filter(boxOf));
    for (const id of members.get(frame)) {
      if (groupOf(id) && state.open.has(id)) {
        frames.push(id);
        openGroup(id);
        walk(membersOf(id), id);
      } else boxes.push(id);
    }
  };
  walk(data.root, "");
  const arrows = new Map(), held = new Map();
  const boxWith = id => held.get(id) || held.set(id, holder(id)).get(id);
  for (const [source, target, runs, shapes, count] of data.arrows) {
    const a = boxWith(source), b = boxWith(target);
    const returns = runs.some(run => state.open.has(run) && isShown(run));
    if (a === b && !returns) continue;
    const key = `${a} ${b} ${returns}`;
    const found = arrows.get(key) || { source: a, target: b, returns, texts: new Set(), count: 0 };
    shapes.forEach(shape => found.texts.add(word(shape)));
    found.count += count;
    arrows.set(key, found);
  }
  return { boxes, frames, members, arrows: [...arrows.values()] };
}
