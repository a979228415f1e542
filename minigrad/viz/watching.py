"""Watching a training: what flows through each layer, what comes back, and how far the weights move, over many steps.

Hooks look at what is computed anyway and keep numbers, not arrays. They are there as long as the watch is open.
"""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import Any, Iterable

import numpy as np

from minigrad import _arrays
from minigrad._pytree import tree_leaves
from minigrad._tensor import Tensor
from minigrad.autograd import is_grad_enabled
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.nn import Module, ReLU, ReLU6, Threshold
from minigrad.nn.modules.conv import ConvBase
from minigrad.nn.parameter import is_lazy
from minigrad.optim import Optimizer
from minigrad.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.quiet import run_quietly
from minigrad.utils.tensorboard import SummaryWriter
from minigrad.viz.files import form_of, write_whole
from minigrad.viz.graph import Statistics
from minigrad.viz.pages import frame_of, page_of
from minigrad.viz.plots import as_line, heat_map, is_bad, line_plot
from minigrad.viz.statistics import describe
from minigrad.viz.svg import clean

__all__ = ["watch"]

ELEMENTS = 16_384  # of an array that statistics look at; whether all are finite is asked of all
PASSING = ("MaxPool", "AvgPool", "View", "Squeeze")  # nodes of operations that leave a map of zeros as it is
MOST = 2_000  # numbers of a line that was logged that are shown
CALLS = 4  # calls of a layer within a step that are told apart
RATIO = 1e-3  # what the update of a weight customarily is of the weight
FAR = 30.0  # times more or less than that are worth a word
DEAD = 0.4  # the share of dead units that is
VANISHING = 1e-3  # the size of the gradient at the first layer, as a part of that at the last, below which it is
KINDS = {
    "activations": "Activations",
    "dead": "Dead units",
    "flow": "Gradients of the activations",
    "gradients": "Gradients of the weights",
    "weights": "Weights",
    "ratios": "Updates over weights",
}
SAID = {
    "activations": "Root mean square of what each layer makes, from the first layer (blue) to the last (orange). Lines that "
                   "drift apart, or to 0, ask for another initialization or for normalization.",
    "dead": "The share of a ReLU's units that is zero for every example of the batch: such a unit gets no gradient and learns "
            "nothing.",
    "flow": "Root mean square of what reaches each layer on the way back. A first layer (blue) that is powers of ten below the "
            "last (orange) shows a gradient that vanishes; one that is above, a gradient that explodes.",
    "gradients": "Root mean square; biases and other vectors are dashed.",
    "weights": "Root mean square; biases and other vectors are dashed.",
    "ratios": "How far a step moves each weight, as a part of its size. About 1e-3 is customary: far above it the learning rate "
              "is high, far below it little is learnt.",
}
LOGARITHMIC = {"activations": None, "dead": False, "flow": True, "gradients": True, "weights": None, "ratios": True}
HEAT_MAPS = {"activations": "Histograms of the activations", "gradients": "Histograms of the gradients of the weights",
             "weights": "Histograms of the weights"}


class watch:
    """Watch a model while it learns; a block, or an object with :meth:`close`.

    Each step of the optimizer ends a step of the watch, which then has, of every layer, statistics of what it made and of the
    gradient that reached it; of every parameter those of its values and gradient, and the ratio of its update to it; and of every
    ReLU the share of dead units. Statistics are those of at most 16,384 elements, evenly chosen; NaN and infinity are looked
    for in all.

    Args:
        model: a module.
        optimizer: whose steps count; by default every optimizer that has a parameter of `model`. Who updates weights by hand
            calls :meth:`step`.
        every: look at every so many steps only.
        layers: paths of the modules to watch, ``"features.0"``; by default all without submodules, and all that have parameters.
        keep: how many steps are kept. When there are twice as many, every second one is dropped, and `every` doubles.

    Raises: ``TypeError`` if `model` is no module, `optimizer` none, or `layers` has a path that leads to none; ``ValueError``
        for numbers less than 1.

    ``steps`` are the numbers of the steps that are kept, from 1, and ``history`` what was seen at them, by kind ("activations",
    "dead", "flow", "gradients", "weights", "ratios") and by layer or parameter: lists of
    :class:`~minigrad.viz.graph.Statistics`, of numbers for "dead" and "ratios", and None at steps without.

    >>> import minigrad as mg
    >>> from minigrad import nn, optim, viz
    >>> model = nn.Sequential(nn.Linear(2, 8), nn.ReLU(), nn.Linear(8, 1))
    >>> optimizer = optim.SGD(model.parameters(), lr=0.1)
    >>> with viz.watch(model, optimizer) as watching:
    ...     for _ in range(3):
    ...         loss = model(mg.ones(4, 2)).pow(2).mean()
    ...         optimizer.zero_grad()
    ...         loss.backward()
    ...         optimizer.step()
    ...         watching.log(loss=loss)
    >>> watching.steps, list(watching.history["activations"]), list(watching.history["ratios"])
    ([1, 2, 3], ['0', '1', '2'], ['0.weight', '0.bias', '2.weight', '2.bias'])
    >>> watching.html()[:15]
    '<!DOCTYPE html>'
    """

    def __init__(self, model: Any, optimizer: Any = None, every: int = 1, *, layers: str | Iterable[str] | None = None,
                 keep: int = 300) -> None:
        if not isinstance(model, Module):
            raise ArgumentError(f"watch(): argument 'model' must be a Module, not {type(model).__name__}")
        if optimizer is not None and not isinstance(optimizer, Optimizer):
            raise ArgumentError(f"watch(): argument 'optimizer' must be an Optimizer, not {type(optimizer).__name__}; where "
                                "weights are updated by hand, leave it out and call step() after each update")
        for name, value in (("every", every), ("keep", keep)):
            if not isinstance(value, int) or value < 1:
                raise InvalidValueError(f"watch(): argument '{name}' must be a whole number of at least 1, got {value!r}")
        self.model, self.optimizer, self.every, self.keep = model, optimizer, every, keep
        self.count = 0  # steps that have ended
        self.points: list[tuple[int, dict[str, dict[str, Any]]]] = []
        self.scalars: dict[str, list[tuple[int, float]]] = {}
        self.first_bad: dict[str, tuple[int, str]] = {}  # for each kind the step and the name of what was first not finite
        self.began = False  # whether something was computed since the last step
        self.before: dict[str, Any] | None = None
        self.clear()
        named = dict(model.named_modules())
        wanted = [path for path, m in named.items() if path and (not any(True for _ in m.children()) or m._parameters)] \
            if layers is None else [layers] if isinstance(layers, str) else list(layers)
        if not wanted:
            wanted = [""]
        for path in wanted:
            if path not in named:
                raise ArgumentError(f"watch(): {path!r} is no path of a module in {type(model).__name__}; there are "
                                    f"{', '.join(repr(p) for p in list(named)[1:9])}{' ...' if len(named) > 9 else ''}")
        self.paths = {id(named[path]): path or type(model).__name__ for path in wanted}
        self.handles = [model.register_forward_pre_hook(self.begin_forward)]
        self.handles += [named[path].register_forward_hook(self.see_layer) for path in wanted]
        if optimizer is None:
            self.handles += [register_optimizer_step_pre_hook(self.before_update),
                             register_optimizer_step_post_hook(self.after_update)]
        else:
            self.handles += [optimizer.register_step_pre_hook(self.before_update),
                             optimizer.register_step_post_hook(self.after_update)]

    def __enter__(self) -> watch:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __deepcopy__(self, memo: Any) -> watch:
        return self  # a copy of the model, as for an average of weights, is not watched

    def close(self) -> None:
        """Take away all hooks. What was seen stays."""
        for handle in self.handles:
            handle.remove()
        self.handles = []
        self.before = None

    # ------------------------------------------------------------------------------------------------ looking

    @property
    def is_looked_at(self) -> bool:
        """Whether the step that is under way is one of those that are looked at."""
        return self.count % self.every == 0

    def clear(self) -> None:
        """Forget what was seen of a step that is not over."""
        self.calls: dict[str, int] = {}
        self.now: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
        self.relus: set[int] = set()  # the nodes of ReLUs whose dead units were counted
        self.of_images = False  # whether dimension 1 has the units, as after a convolution

    def begin_forward(self, model: Any, inputs: Any) -> None:
        """Begin anew: of several forward passes in a step the last one counts."""
        if model is self.model and is_grad_enabled():
            self.began = True
            self.clear()

    def see_layer(self, module: Any, inputs: Any, output: Any) -> None:
        """Look at what a layer has made, and ask for the gradient that will reach it."""
        path = self.paths.get(id(module))
        if path is None or not self.is_looked_at or not is_grad_enabled():
            return
        made = next((t for t in tree_leaves(output) if isinstance(t, Tensor)), None)
        call = self.calls[path] = self.calls.get(path, 0) + 1
        if made is None or call > CALLS or not made.array.size:
            return
        self.began = True
        name = path if call == 1 else f"{path} (call {call})"
        self.note("activations", name, sample(made.array))
        if module._parameters:
            self.see_functional_relu(name, inputs)
        self.of_images = isinstance(module, ConvBase) or (self.of_images and not module._parameters) or made.ndim >= 4
        if isinstance(module, (ReLU, ReLU6, Threshold)):
            self.count_dead(name, made, made.grad_fn)
        if made.requires_grad:
            seen = self.now

            def see_gradient(g: Any) -> None:
                if seen is self.now:  # the step is still the one of this forward pass
                    self.note("flow", name, sample(g.array))

            made.register_hook(see_gradient)

    def see_functional_relu(self, name: str, inputs: Any) -> None:
        """Count the dead units of a ReLU that is no module, where the layer that it leads to is called."""
        x = next((t for t in tree_leaves(inputs) if isinstance(t, Tensor)), None)
        node = x.grad_fn if x is not None else None
        while node is not None and leaves_zeros(node):
            node = node.next_functions[0][0]
        if node is not None and node.name().startswith("Relu"):
            self.count_dead(f"relu before {name}", x, node)

    def count_dead(self, name: str, made: Any, node: Any) -> None:
        """Note the share of dead units, once for each ReLU."""
        if made.ndim >= 2 and made.array.size and id(node) not in self.relus:
            self.relus.add(id(node))
            self.note("dead", name, dead_share(made.array, 1 if made.ndim > 2 and self.of_images else -1))

    def before_update(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """Copy the weights that a step is about to change."""
        if self.is_looked_at and self.is_ours(optimizer):
            self.copy_weights()

    def copy_weights(self) -> None:
        """Keep the weights until the step is over."""
        self.before = {name: p.detach().clone().array for name, p in self.parameters().items()}

    def after_update(self, optimizer: Any, args: Any, kwargs: Any) -> None:
        """End a step: look at the weights, their gradients, and how far they have moved."""
        if self.is_ours(optimizer):
            self.end_step()

    def is_ours(self, optimizer: Any) -> bool:
        """Whether an optimizer moves parameters of the model."""
        if self.optimizer is not None:
            return True
        ids = {id(p) for p in self.model.parameters()}
        return any(id(p) in ids for group in optimizer.param_groups for p in group["params"])

    def parameters(self) -> dict[str, Any]:
        """The parameters that are trained now, by name."""
        return {name: p for name, p in self.model.named_parameters() if p.requires_grad and not is_lazy(p)}

    def step(self) -> None:
        """End a step of a training without an optimizer, after the weights were updated. The ratios of updates are there from the
        second step on."""
        self.end_step()
        if self.is_looked_at:
            self.copy_weights()

    def end_step(self) -> None:
        """Keep what was seen in the step that ends."""
        if self.is_looked_at:
            for name, p in self.parameters().items():
                self.note("weights", name, sample(p.array))
                if p.grad is not None and not p.grad.is_sparse:
                    self.note("gradients", name, sample(p.grad.array))
                if self.before is not None and name in self.before:
                    self.note("ratios", name, run_quietly(ratio_of, self.before[name], p.array))
            self.points.append((self.count + 1, self.now))
            if len(self.points) >= 2 * self.keep:
                del self.points[1::2]
                self.every *= 2
        self.count += 1
        self.began, self.before = False, None
        self.clear()

    def note(self, kind: str, name: str, found: Any) -> None:
        """Keep a number or statistics of a layer or parameter."""
        if found is not None:
            self.now[kind][name] = found
            if kind not in self.first_bad and is_bad(found):
                self.first_bad[kind] = self.count + 1, name

    def log(self, **scalars: Any) -> None:
        """Keep numbers of the step that is under way, or has just ended: ``log(loss=loss, accuracy=0.9)``. A tensor is taken as
        the number that it holds.

        Raises: ``ValueError`` for what is not one number.
        """
        for name, value in scalars.items():
            if np.size(value) != 1:
                raise InvalidValueError(f"log(): argument '{name}' must be one number, got {np.size(value)} of shape "
                                        f"{list(np.shape(value))}; give their mean()")
            number = float(value.item() if hasattr(value, "item") else value)
            self.scalars.setdefault(name, []).append((self.count + self.began, number))

    # ------------------------------------------------------------------------------------------------ showing

    @property
    def steps(self) -> list[int]:
        """The numbers of the steps that are kept."""
        return [step for step, _ in self.points]

    @property
    def history(self) -> dict[str, dict[str, list[Any]]]:
        """What was seen: for each kind and each layer or parameter a list, as long as ``steps``."""
        names = {kind: list(dict.fromkeys(name for _, point in self.points for name in point[kind])) for kind in KINDS}
        names["flow"] = [name for name in names["activations"] if name in names["flow"]]  # the backward pass sees the last first
        return {kind: {name: [point[kind].get(name) for _, point in self.points] for name in names[kind]} for kind in KINDS}

    def findings(self) -> list[str]:
        """What is worth a look, in words: where the first NaN was seen, dead layers, gradients that vanish, updates that are far
        from the customary."""
        said = []
        if self.first_bad:
            kind, (step, name) = min(self.first_bad.items(), key=lambda item: (item[1][0], list(KINDS).index(item[0])))
            said.append(f"The first NaN or infinity was seen at step {step} in {WORDS[kind]} of {name}.")
        if not self.points:
            return [*said, "No step has ended yet."]
        step, last = self.points[-1]
        said += [f"{name}: {share:.0%} of its units were dead at step {step}." for name, share in last["dead"].items()
                 if share >= DEAD]
        flow = last["flow"]
        sizes = [(flow[name].rms, name) for name in last["activations"] if name in flow and flow[name].rms]
        if len(sizes) > 1 and sizes[0][0] < VANISHING * sizes[-1][0]:
            said.append(f"The gradient vanishes on its way back: {sizes[-1][0]:.2g} at {sizes[-1][1]}, {sizes[0][0]:.2g} at "
                        f"{sizes[0][1]}.")
        for name in [name for name, p in self.parameters().items() if p.ndim > 1]:
            seen = sorted(r for _, point in self.points if (r := point["ratios"].get(name)) is not None and math.isfinite(r))
            middle = seen[len(seen) // 2] if seen else RATIO
            if not RATIO / FAR <= middle <= RATIO * FAR:
                said.append(f"{name}: its updates are mostly {middle:.1g} of it; about {RATIO:g} is customary.")
        return said

    def curves(self) -> str:
        """The plots of what was logged, as a piece of a page."""
        parts = []
        for name, points in self.scalars.items():
            points = points[::max(1, len(points) // MOST)]
            xs = [x for x, _ in points]
            parts.append(line_plot(name, xs, [as_line(name, [v for _, v in points], xs=xs)], log=False))
        return f'<div class="plots">{"".join(parts)}</div>'

    def lines(self) -> str:
        """The plots of layers and weights over steps, as a piece of a page."""
        history, steps = self.history, self.steps
        flat = {name for name, p in self.parameters().items() if p.ndim < 2}
        parts = []
        for kind in KINDS:
            if history[kind]:
                lines = [as_line(name, values, name in flat, steps) for name, values in history[kind].items()]
                rule = (RATIO, f"{RATIO:g}, the customary") if kind == "ratios" else None
                parts.append(f"<div>{line_plot(KINDS[kind], steps, lines, LOGARITHMIC[kind], rule)}<p>{SAID[kind]}</p></div>")
        return f'<div class="plots">{"".join(parts)}</div>'

    def heat_maps(self) -> str:
        """The histograms over steps, as a piece of a page."""
        history, steps = self.history, self.steps
        parts = []
        for kind, title in HEAT_MAPS.items():
            if history[kind]:
                maps = "".join(heat_map(name, steps, values) for name, values in history[kind].items())
                parts.append(f"<h2>{title}</h2>\n<p>Steps from left to right, numbers upwards; the stronger the colour, the more "
                             f'elements there are.</p>\n<div class="plots small">{maps}</div>')
        return "\n".join(parts)

    def html(self) -> str:
        """The plots as a page that needs no other file and no network."""
        said = "".join(f'<li{" class=bad" * ("NaN" in text)}>{clean(text)}</li>' for text in self.findings())
        title = f"Training of {type(self.model).__name__}"
        steps = f"{self.count:,} steps, of which {len(self.points):,} are shown"
        return page_of(title, "\n".join([
            f"<header><h1>{clean(title)}</h1><span>{steps}</span></header>", f'<ul class="findings">{said}</ul>',
            self.curves(), "<h2>Layers and weights</h2>", self.lines(), self.heat_maps()]))

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the page to `path`, which ends in .html. Returns the path. Raises ``ValueError`` for another ending."""
        path = os.fspath(path)
        form_of("watch", path, ("html",))
        write_whole(path, self.html())
        return path

    def to_tensorboard(self, writer: Any) -> None:
        """Write all for TensorBoard, by tensorboardX: scalars and histograms by kind and name, and what was logged.

        Args:
            writer: a :class:`~minigrad.utils.tensorboard.SummaryWriter`, or the folder for a new one.

        Raises: ``ImportError`` where tensorboardX is not installed.
        """
        if isinstance(writer, (str, os.PathLike)):
            with SummaryWriter(writer) as opened:
                self.to_tensorboard(opened)
            return
        for step, point in self.points:
            for kind, seen in point.items():
                for name, found in seen.items():
                    value = found if not isinstance(found, Statistics) else found.rms if not found.nonfinite else math.nan
                    if value is not None:
                        writer.add_scalar(f"{kind}/{name}", value, step)
                    if isinstance(found, Statistics) and found.histogram:
                        add_histogram(writer, f"{kind}/{name}", found, step)
        for name, points in self.scalars.items():
            for step, number in points:
                writer.add_scalar(name, number, step)
        writer.flush()

    def __str__(self) -> str:
        if not self.points:
            return f"{type(self.model).__name__}: no step has ended yet"
        step, last = self.points[-1]
        rows = [("", "activation", "dead", "its gradient")]
        rows += [(name, number(s.rms), percent(last["dead"].get(name)), number(rms(last["flow"].get(name))))
                 for name, s in last["activations"].items()]
        rows += [(name, "", percent(share), "") for name, share in last["dead"].items() if name not in last["activations"]]
        rows += [("", "weight", "gradient", "update/weight")]
        rows += [(name, number(s.rms), number(rms(last["gradients"].get(name))), number(last["ratios"].get(name)))
                 for name, s in last["weights"].items()]
        wide = max(len(row[0]) for row in rows)
        table = [f"{a:{wide}} {b:>11} {c:>11} {d:>14}".rstrip() for a, b, c, d in rows]
        return "\n".join([f"{type(self.model).__name__} at step {step}: root mean squares", *table, *self.findings()])

    def __repr__(self) -> str:
        return f"<watch of {type(self.model).__name__}, {self.count:,} steps; save('training.html') shows it, print() the last>"

    def _repr_html_(self) -> str:
        return frame_of(self.html(), 640)


WORDS = {"activations": "the activations", "dead": "the units", "flow": "the gradient that reached the activations",
         "gradients": "the gradient", "weights": "the values", "ratios": "the update"}


@on_device_of_inputs
def sample(array: Any) -> Statistics:
    """The statistics of some elements of an array, and how many of all are not finite."""
    size = array.size
    if size <= ELEMENTS:
        return describe(array)
    flat = array.reshape(-1)
    found = describe(flat[::size // ELEMENTS | 1])
    return replace(found, count=size, nonfinite=count_bad(flat))


def count_bad(array: Any) -> int:
    """How many elements are not finite. That is looked at one by one only where their sum is not."""
    if math.isfinite(abs(array.sum())):
        return 0
    return int(array.size - np.isfinite(array).sum())


@on_device_of_inputs
def dead_share(array: Any, units: int) -> float:
    """The share of the units, which are along dimension `units`, that are 0 for all examples."""
    others = tuple(k for k in range(array.ndim) if k != units % array.ndim)
    return float(1 - (array != 0).any(axis=others).mean())


def ratio_of(before: Any, after: Any) -> float | None:
    """How far weights have moved, as a part of their size; None of weights that were 0."""
    wide = np.complex128 if before.dtype.kind == "c" else np.float64
    before, after = (_arrays.to_numpy(x).reshape(-1).astype(wide) for x in (before, after))
    size = float(np.linalg.norm(before))
    return float(np.linalg.norm(after - before)) / size if size else None


def leaves_zeros(node: Any) -> bool:
    """Whether what is zero everywhere is so after the operation of a node too: pooling, shaping, dropout."""
    name = node.name()
    return name.startswith(PASSING) or (name == "MulBackward0" and node.next_functions[1][0] is None)


def add_histogram(writer: Any, tag: str, found: Statistics, step: int) -> None:
    """Write the histogram of statistics."""
    assert found.min is not None and found.max is not None and found.mean is not None and found.rms is not None
    edges = np.linspace(found.min, found.max, len(found.histogram) + 1)[1:]
    count = sum(found.histogram)
    writer.add_histogram_raw(f"{tag}/histogram", found.min, found.max, count, found.mean * count, found.rms ** 2 * count,
                             edges.tolist(), found.histogram, step)


def rms(found: Statistics | None) -> float | None:
    """The root mean square, where there is one."""
    return None if found is None else found.rms


def number(x: float | None) -> str:
    """A number as a table has it."""
    return "" if x is None else f"{x:.3g}"


def percent(x: float | None) -> str:
    """A share as a table has it."""
    return "" if x is None else f"{x:.0%}"
