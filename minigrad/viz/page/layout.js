// Where boxes, frames and arrows go. This is the method of minigrad/viz/layout.py, where its steps are explained, in the same parts
// and with the same distances, so that a page and a picture of one fold look alike.

class FrameLayout {
  // `ends` are the arrows that touch this frame: each as it is drawn, with the boxes above and below it.
  constructor(shown, id, size, ends, titleWidth, backward) {
    Object.assign(this, { id, width: 0, height: 0, vertices: new Map(), edges: [], entries: new Map(), exits: new Map(), loops: [] });
    const members = backward ? [...shown.members.get(id)].reverse() : shown.members.get(id);
    const childOf = new Map(), within = new Map(members.map(m => [m, []]));
    for (const m of members) for (const box of boxesIn(shown, m)) childOf.set(box, m);
    for (const end of ends)
      for (const child of new Set([childOf.get(end.above), childOf.get(end.below)])) if (child !== undefined) within.get(child).push(end);
    for (const m of members) {
      const inner = shown.members.has(m) ? new FrameLayout(shown, m, size, within.get(m), size(m).width, backward) : null;
      const { width, height } = inner || size(m);
      this.vertices.set(m, { id: m, width, height, rank: 0, x: 0, y: 0, inner });
    }
    for (const end of ends) this.addEdge(end.arrow, childOf.get(end.above), childOf.get(end.below));
    this.title = id ? data.layout.title : 0;
    this.layers = this.makeLayers();
    this.orderLayers();
    this.place(titleWidth);
    this.ends = this.fan();
  }

  // Add the part of an arrow that is in this frame; `a` and `b` are the members it comes from and leads to.
  addEdge(arrow, a, b) {
    if (a !== undefined && a === b) {
      if (!this.vertices.get(a).inner) this.loops.push([arrow, a]);
      return;
    }
    if (a === undefined) this.entries.set(arrow, lane(0));
    if (b === undefined) this.exits.set(arrow, lane(0));
    const source = a === undefined ? this.entries.get(arrow) : this.vertices.get(a);
    const target = b === undefined ? this.exits.get(arrow) : this.vertices.get(b);
    this.edges.push({ arrow, source, target, path: [] });
  }

  // Give each vertex its layer, and each arrow its places in those it passes.
  makeLayers() {
    const incoming = new Map(), outgoing = new Map();
    for (const e of this.edges) { listed(incoming, e.target).push(e); listed(outgoing, e.source).push(e); }
    const inside = [...this.vertices.values()];
    for (const v of inside) v.rank = 1 + most((incoming.get(v) || []).map(e => e.source.rank), 0);
    const last = most(inside.map(v => v.rank), 0) + 1;
    for (const v of [...inside].reverse())
      if (!incoming.has(v) && outgoing.has(v)) v.rank = least(outgoing.get(v).map(e => e.target.id ? e.target.rank : last)) - 1;
    for (const v of this.exits.values()) v.rank = last;
    const layers = Array.from({ length: last + 1 }, () => []);
    for (const v of [...this.entries.values(), ...inside, ...this.exits.values()]) layers[v.rank].push(v);
    for (const e of this.edges) {
      for (let rank = e.source.rank + 1; rank < e.target.rank; rank++) {
        e.path.push(lane(rank));
        layers[rank].push(e.path[e.path.length - 1]);
      }
    }
    return layers;
  }

  // For each vertex those above and those below that an arrow joins it to: [vertex, how far from the middle of this one the arrow
  // ends, and from that of the other].
  links() {
    const above = new Map(), below = new Map();
    for (const e of this.edges) {
      const chain = [e.source, ...e.path, e.target];
      for (let k = 1; k < chain.length; k++) {
        const v = chain[k - 1], w = chain[k], dv = offset(v, e.arrow, "exits"), dw = offset(w, e.arrow, "entries");
        listed(below, v).push([w, dv, dw]);
        listed(above, w).push([v, dw, dv]);
      }
    }
    return { above, below };
  }

  // Order each layer so that few arrows cross.
  orderLayers() {
    const { above, below } = this.links(), sides = this.layers.length;
    let best = this.layers.map(layer => [...layer]), fewest = this.crossings(below);
    for (let sweep = 0; sweep < data.layout.sweeps && fewest; sweep++) {
      const down = sweep % 2 === 0, joined = down ? above : below;
      for (let k = 1; k < sides; k++) {
        const rank = down ? k : sides - 1 - k, place = placesIn(this.layers[down ? rank - 1 : rank + 1]), wanted = new Map();
        this.layers[rank].forEach((v, at) => {
          const found = (joined.get(v) || []).filter(([w]) => place.has(w)).map(([w, , dw]) => place.get(w) + dw / (w.width + 1));
          wanted.set(v, found.length ? sum(found) / found.length : at);
        });
        this.layers[rank].sort((v, w) => wanted.get(v) - wanted.get(w));
      }
      const count = this.crossings(below);
      if (count < fewest) { fewest = count; best = this.layers.map(layer => [...layer]); }
    }
    this.layers = best;
  }

  // How many pairs of arrows cross between neighbouring layers.
  crossings(below) {
    let total = 0;
    for (let k = 1; k < this.layers.length; k++) {
      const place = placesIn(this.layers[k]), ends = [];
      for (const v of this.layers[k - 1]) {
        const targets = (below.get(v) || []).map(([w, dv, dw]) => [dv, place.get(w) + dw / (w.width + 1)]);
        targets.sort((s, t) => s[0] - t[0] || s[1] - t[1]);
        for (const [, target] of targets) {
          for (const other of ends) total += other > target;
          ends.push(target);
        }
      }
    }
    return total;
  }

  // Give each vertex its place, and the frame its size.
  place(titleWidth) {
    const { gap, drop, padding, sweeps } = data.layout, { above, below } = this.links();
    for (const layer of this.layers) {
      let x = 0;
      for (const v of layer) { v.x = x + v.width / 2; x += v.width + gap; }
    }
    for (let sweep = 0; sweep < sweeps; sweep++) {
      const down = sweep % 2 === 0, sides = sweep >= Math.floor(sweeps / 2) ? [above, below] : [down ? above : below];
      for (const layer of down ? this.layers : [...this.layers].reverse()) {
        const wanted = [], weights = [];
        for (const v of layer) {
          const found = sides.flatMap(joined => (joined.get(v) || []).map(([w, dv, dw]) => [w.x + dw - dv, stiffness(v, w)]));
          const weight = sum(found.map(([, k]) => k)) || 0.1;
          weights.push(weight);
          wanted.push(found.length ? sum(found.map(([x, k]) => x * k)) / weight : v.x);
        }
        spread(wanted, layer, weights).forEach((x, k) => { layer[k].x = x; });
      }
    }
    const every = this.layers.flat();
    const left = least(every.map(v => v.x - v.width / 2), 0);
    const right = most(every.map(v => v.x + v.width / 2), 0) + (this.loops.length ? 2 * gap : 0);
    this.width = Math.max(right - left + 2 * padding, titleWidth);
    const shift = padding - left + (this.width - (right - left) - 2 * padding) / 2;
    let y = this.title + padding - drop;
    this.bands = this.layers.map(layer => {
      const top = y, tall = most(layer.map(v => v.height), 0);
      for (const v of layer) { v.x += shift; v.y = top; }
      y += tall + drop;
      return [top, top + tall];
    });
    const [last, end] = this.bands.slice(-2);
    this.height = this.exits.size ? end[0] : last[1] + padding;
  }

  // How far from the middle of its box each arrow begins and ends: side by side, in the order of where they lead and come from.
  fan() {
    const begins = new Map(), ends = new Map();
    for (const e of this.edges) {
      const chain = [e.source, ...e.path, e.target], n = chain.length;
      for (const [v, w, side, port] of [[chain[0], chain[1], begins, "entries"], [chain[n - 1], chain[n - 2], ends, "exits"]])
        if (v.id && !v.inner) listed(side, v).push([w.x + offset(w, e.arrow, port), e.arrow]);
    }
    const [first, last] = [begins, ends].map(side => {
      const found = new Map();
      for (const [v, arrows] of side) {
        arrows.sort((a, b) => a[0] - b[0]);
        const step = Math.min(data.layout.fan, 0.6 * v.width / arrows.length);
        arrows.forEach(([, arrow], k) => found.set(arrow, (k - (arrows.length - 1) / 2) * step));
      }
      return found;
    });
    return { first, last };
  }

  // Write the places of all that stands in the frame, whose left upper corner is at `x` and `y`, into `made`; `pieces` gains the
  // parts of each arrow.
  write(made, x, y, pieces) {
    if (this.id) made.frames.set(this.id, { x, y, width: this.width, height: this.height });
    for (const v of this.vertices.values()) {
      if (v.inner) v.inner.write(made, x + v.x - v.width / 2, y + v.y, pieces);
      else made.boxes.set(v.id, { x: x + v.x - v.width / 2, y: y + v.y, width: v.width, height: v.height });
    }
    for (const e of this.edges) {
      const chain = [e.source, ...e.path, e.target], points = [];
      chain.forEach((v, k) => {
        const first = k === 0, last = k === chain.length - 1, [top, bottom] = this.bands[v.rank];
        const at = x + v.x + (first ? offset(v, e.arrow, "exits") + (this.ends.first.get(e.arrow) || 0)
          : last ? offset(v, e.arrow, "entries") + (this.ends.last.get(e.arrow) || 0) : 0);
        if (first) {
          const start = this.entries.has(e.arrow) ? 0 : v.y + v.height;
          points.push([at, y + start], [at, y + Math.max(bottom, start)]);
        } else if (last) {
          const end = this.exits.has(e.arrow) ? this.height : v.y;
          points.push([at, y + Math.min(top, end)], [at, y + end]);
        } else points.push([at, y + top], [at, y + bottom]);
      });
      listed(pieces, e.arrow).push(points);
    }
    for (const [arrow, name] of this.loops) {
      const v = this.vertices.get(name), right = x + v.x + v.width / 2, out = right + data.layout.gap;
      const low = y + v.y + v.height * 0.75, high = y + v.y + v.height * 0.25;
      made.arrows.push([arrow, [[right, low], [out, low], [out, high], [right, high]]]);
    }
  }
}

const lane = rank => ({ id: "", width: data.layout.lane, height: 0, rank, x: 0, y: 0, inner: null });
const stiffness = (v, w) => v.id || w.id ? 1 : data.layout.straight;  // how much an arrow pulls two vertices to one line
const listed = (map, key) => map.get(key) || map.set(key, []).get(key);
const placesIn = layer => new Map(layer.map((v, k) => [v, k]));
const sum = numbers => numbers.reduce((a, b) => a + b, 0);
const most = (numbers, otherwise = -Infinity) => numbers.length ? numbers.reduce((a, b) => Math.max(a, b)) : otherwise;
const least = (numbers, otherwise = Infinity) => numbers.length ? numbers.reduce((a, b) => Math.min(a, b)) : otherwise;

// How far from the middle of a vertex an arrow meets it: of a frame, where it goes on inside.
function offset(v, arrow, side) {
  const port = v.inner && v.inner[side].get(arrow);
  return port ? port.x - v.inner.width / 2 : 0;
}

// The places nearest to those wanted, by weighted least squares, for the vertices of a layer, which keep their order and distance.
function spread(wanted, layer, weights) {
  const steps = [0], pools = [];  // of each pool: the sum of weights, the mean, how many
  for (let k = 1; k < layer.length; k++) steps.push(steps[k - 1] + (layer[k - 1].width + layer[k].width) / 2 + data.layout.gap);
  wanted.forEach((place, k) => {
    pools.push([weights[k], place - steps[k], 1]);
    while (pools.length > 1 && pools[pools.length - 2][1] > pools[pools.length - 1][1]) {
      const [w, m, n] = pools.pop(), [v, l, p] = pools.pop();
      pools.push([v + w, (v * l + w * m) / (v + w), p + n]);
    }
  });
  return pools.flatMap(([, mean, n]) => Array(n).fill(mean)).map((mean, k) => mean + steps[k]);
}

// The boxes that are drawn in a member of a frame.
function boxesIn(shown, id) {
  return shown.members.has(id) ? shown.members.get(id).flatMap(m => boxesIn(shown, m)) : [id];
}

// The places of what is shown. `size` gives the width and height of each box, and the width of the title of each frame.
function layOut(shown, size, backward) {
  const place = placesIn(shown.boxes);
  const flipped = arrow => place.get(arrow.source) > place.get(arrow.target);
  const ends = shown.arrows.map(arrow => flipped(arrow) !== backward ? { arrow, above: arrow.target, below: arrow.source }
    : { arrow, above: arrow.source, below: arrow.target });
  const root = new FrameLayout(shown, "", size, ends, 0, backward), pieces = new Map();
  const made = { width: root.width, height: root.height, boxes: new Map(), frames: new Map(), arrows: [] };
  root.write(made, 0, 0, pieces);
  for (const arrow of shown.arrows) {
    const points = (pieces.get(arrow) || []).sort((a, b) => a[0][1] - b[0][1]).flat();
    if (points.length) made.arrows.push([arrow, flipped(arrow) ? points.reverse() : points]);
  }
  return made;
}
