"""The page that a run of the demonstration leaves: how it learnt, what it gets wrong, what it looks for, and one backward
pass."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import minigrad as mg
from minigrad import nn
from minigrad.viz.images import Grid
from minigrad.viz.pages import frame_of, page_of
from minigrad.viz.pixels import data_address

CARDS = 12  # images that are shown with what the network thought
LIKELY = 3  # classes of each


def write_report(path: Path, model: Any, images: Any, labels: Any, watching: Any, drawing: Any) -> None:
    """Write the page.

    Args:
        path: the file.
        model: the network, trained.
        images, labels: (n, 1, height, width) and (n,), which it was not trained on.
        watching: what :func:`minigrad.viz.watch` saw of its training.
        drawing: the graph of its loss.
    """
    model.eval()
    with mg.no_grad():
        thought = model(images).softmax(1)
    wrong = int((thought.argmax(1) != labels).sum())
    unsure = order_by_doubt(thought, labels)[:CARDS]
    weights = sum(p.numel() for p in model.parameters())
    shown = unsure[0] if unsure else 0
    parts = [
        f"<header><h1>{1 - wrong / len(labels):.1%} of {len(labels)} handwritten digits read rightly</h1></header>",
        f"<p>A convolutional network of {weights:,} weights learnt this from other images, in {watching.count:,} steps. What "
        "follows was drawn by <code>minigrad.viz</code>.</p>",
        f"<h2>What it gets wrong: {wrong} of {len(labels)}</h2>",
        f"<p>{'The mistakes first, then' if wrong else 'No mistakes; these are'} the images that it is least sure of, with the "
        "digits that it thought likeliest. Green is the true one.</p>",
        f'<div class="cards">{"".join(card(images[k], thought[k], int(labels[k])) for k in unsure)}</div>',
        "<h2>How it learnt</h2>",
        "<p>The loss is the mean over an epoch of the cross entropy with labels that are smoothed by a tenth, which is 0.50 at "
        "best. Point at a line to read it.</p>",
        watching.curves(),
        "<h2>What it looks for: its filters</h2>",
        "<p>Orange weights add to a filter's answer, blue ones take from it.</p>",
        mg.viz.filters(model).fragment(),
        "<h2>What it sees in one image</h2>",
        f"<p>The answers of each layer to the first image above, a {int(labels[shown])}, from black (the least) to white.</p>",
        mg.viz.activations(model, images[shown:shown + 1]).fragment(),
        "<h2>How its gradient is computed, step by step</h2>",
        "<p>The same image once forward and backward. The arrow buttons and the slider at the bottom go through the backward "
        "pass; a click on a box shows its numbers and the derivative's rule; a double click opens it.</p>",
        frame_of(one_pass(model, images[shown:shown + 1], labels[shown:shown + 1]), 700),
        "<h2>The graph of the loss of eight images</h2>",
        f'<img class="white" alt="the graph" src="data:image/svg+xml;base64,{base64_text(drawing.svg())}">',
        "<h2>The layers during training</h2>",
        watching.lines(),
    ]
    path.write_text(page_of("minigrad: handwritten digits", "\n".join(parts)), encoding="utf-8")


def order_by_doubt(thought: Any, labels: Any) -> list[int]:
    """The numbers of the images by how likely the network thought the true class, the least first, mistakes before all others."""
    right = thought.argmax(1) == labels
    likely = thought[mg.arange(len(labels)), labels]
    return [int(k) for k in (likely + right.float()).argsort()]


def base64_text(text: str) -> str:
    """Text as an address in a page can hold it."""
    return base64.b64encode(text.encode("utf-8")).decode("ascii")


def card(image: Any, thought: Any, label: int) -> str:
    """An image, what it is, and what the network thought it to be."""
    likely, classes = thought.topk(LIKELY)
    rows = "".join(f'<tr><td>{c}</td><td><span class="bar {"right" if c == label else "wrong"}" style="width:{80 * p:.0f}px">'
                   f"</span> {p:.1%}</td></tr>" for p, c in zip(likely.tolist(), classes.tolist()))
    picture = data_address(Grid("", "", image.numpy()).pixels())
    mistake = "" if int(classes[0]) == label else ", read as " + str(int(classes[0]))
    return (f'<div class="card"><img alt="a handwritten {label}" width="112" height="112" src="{picture}">'
            f"<p>a {label}{mistake}</p><table>{rows}</table></div>")


def one_pass(model: Any, image: Any, label: Any) -> str:
    """The page of one example's forward and backward pass, which leaves no gradients behind."""
    with mg.viz.record(model, {"image": image, "label": label}) as recording:
        loss = nn.functional.cross_entropy(model(image), label)
        loss.backward()
    model.zero_grad()
    return str(recording.draw().html())
