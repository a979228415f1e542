// Plots that answer: the line nearest to the pointer says its name and its number, and a name shows its line.
for (const plot of document.querySelectorAll(".plot[data-plot]")) {
  const { xs, lines, box, low, high } = JSON.parse(plot.dataset.plot);
  const svg = plot.querySelector("svg"), series = plot.querySelectorAll(".series"), names = plot.querySelectorAll(".names li");
  const said = Object.assign(document.createElement("div"), { className: "said", hidden: true });
  plot.append(said);
  const choose = (index) => {
    plot.classList.toggle("choosing", index >= 0);
    series.forEach((line) => line.classList.toggle("chosen", +line.dataset.line === index));
  };
  names.forEach((name, index) => {
    name.addEventListener("mouseenter", () => choose(index));
    name.addEventListener("mouseleave", () => choose(-1));
  });
  svg.addEventListener("mousemove", (event) => {
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const wanted = low + (at.x - box[0]) / box[2] * (high - low);
    let best = null;
    lines.forEach(({ name, values, places }, index) => {
      let nearest = -1;
      values.forEach((value, k) => {
        if (value !== null && (nearest < 0 || Math.abs(xs[k] - wanted) < Math.abs(xs[nearest] - wanted))) nearest = k;
      });
      if (nearest < 0) return;
      const away = Math.abs(places[nearest] - at.y);
      if (!best || away < best.away) best = { away, index, text: `${name}\nstep ${xs[nearest]}: ${values[nearest]}` };
    });
    if (!best) return;
    choose(best.index);
    said.textContent = best.text;
    said.hidden = false;
    const edge = plot.getBoundingClientRect(), left = event.clientX - edge.left;
    said.style.top = `${event.clientY - edge.top + 12}px`;
    said.style.left = `${Math.min(left + 12, edge.width - said.offsetWidth - 6)}px`;
  });
  svg.addEventListener("mouseleave", () => { choose(-1); said.hidden = true; });
}
