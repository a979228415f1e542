"""The loss around a point, or along the way of an optimizer, on the plane of two directions."""

from __future__ import annotations

import io
import math
import os
from typing import Any, Callable, Sequence

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad.autograd import no_grad
from minigrad.errors import ArgumentError, InvalidValueError, missing_extra
from minigrad.ops.creation import from_numpy
from minigrad.ops.sampling import randn
from minigrad.recording.quiet import run_quietly
from minigrad.viz.files import form_of, write_whole

FORMATS = ("png", "svg", "pdf")
LEVELS = 24


class Landscape:
    """A loss on a plane. ``values[j, i]`` is the loss at ``x[i]``, ``y[j]``: as many times the first and the second direction
    away from the origin. ``path`` has the places (n, 2) of a recorded path. It shows itself in a notebook, by matplotlib."""

    def __init__(self, x: Any, y: Any, values: Any, path: Any, labels: tuple[str, str]) -> None:
        self.x, self.y, self.values, self.path, self.labels = x, y, values, path, labels

    def image(self, form: str) -> bytes:
        """The contours, and the path over them, as ``"png"``, ``"svg"`` or ``"pdf"``. Raises ``ImportError`` without
        matplotlib."""
        try:
            from matplotlib.colors import BoundaryNorm
            from matplotlib.figure import Figure
        except ModuleNotFoundError:
            raise missing_extra("a picture of a landscape", "matplotlib", "demo") from None
        figure = Figure(figsize=(6.4, 5.2), layout="constrained")
        axes = figure.subplots()
        shown = np.ma.masked_invalid(self.values)
        if shown.count() and shown.max() > shown.min():
            levels = levels_of(shown.compressed())
            drawn = axes.contourf(self.x, self.y, shown, levels=levels, cmap="viridis", extend="both",
                                  norm=BoundaryNorm(levels, 256, extend="both"))
            axes.contour(self.x, self.y, shown, levels=levels, colors="white", linewidths=0.4)
            figure.colorbar(drawn, label="loss", format="%.3g")
        if len(self.path):
            axes.plot(self.path[:, 0], self.path[:, 1], marker=".", color="#ea580c", linewidth=1.2, markersize=4)
            axes.plot(*self.path[-1], marker="*", color="#ea580c", markersize=12, markeredgecolor="white")
        axes.set(xlabel=self.labels[0], ylabel=self.labels[1], xlim=(self.x[0], self.x[-1]), ylim=(self.y[0], self.y[-1]))
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=120)
        return file.getvalue()

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the picture in the form that the end of `path` names: .png, .svg or .pdf. Returns the path. Raises
        ``ValueError`` for another ending, ``ImportError`` without matplotlib."""
        path = os.fspath(path)
        write_whole(path, self.image(form_of("landscape()", path, FORMATS)))
        return path

    def __repr__(self) -> str:
        finite = self.values[np.isfinite(self.values)]
        said = f" from {finite.min():.4g} to {finite.max():.4g}" if finite.size else ""
        return f"<landscape of {len(self.x)}×{len(self.y)} losses{said}; save('landscape.png') draws it>"

    def _repr_png_(self) -> bytes:
        return self.image("png")


def levels_of(values: Any) -> Any:
    """Where contours are drawn: closer where the loss is low, as far apart in its logarithm above the least."""
    low, high = float(values.min()), float(values.max())
    near = max(float(np.quantile(values, 0.02)) - low, (high - low) * 1e-4)
    return low + np.geomspace(near, high - low, LEVELS)


def landscape(loss_fn: Callable[[], Any], params: Any, directions: Any = None, path: Sequence[Any] | None = None, *,
              span: float | tuple[tuple[float, float], tuple[float, float]] | None = None, points: int = 25) -> Landscape:
    """The loss on a plane through parameters.

    Args:
        loss_fn: computes the loss from the parameters as they are, without arguments: ``lambda: criterion(model(x), y)``. It is
            called at each point of the plane, without recording. Layers that change when they are called belong in evaluation
            mode.
        params: a tensor, or tensors: ``model.parameters()``. They are moved, and are afterwards what they were.
        directions: "random": two that are drawn, each filter of which is as long as the parameter's (Li et al., 2018,
            https://arxiv.org/abs/1712.09913); "pca": those in which `path` is longest; or two of the user's, each as `params`
            is. By default the axes, where there are but two numbers; else "pca" where there is a path, and "random" where there
            is none.
        path: where an optimizer was: of each step a copy of `params`, ``[p.detach().clone() for p in params]``. The last is the
        origin. span: how far to look in each direction, or ((low, high), (low, high)); by default around the path, or from -1
        to 1. points: how many points in each direction.

    Returns: a :class:`Landscape`, which is saved as .png, .svg or .pdf.

    Raises: ``TypeError`` if `params` are no floating-point tensors; ``ValueError`` for directions or a path of other shapes, or
        too few `points`.

    >>> import minigrad as mg
    >>> w = mg.tensor([2.0, 1.0], requires_grad=True)
    >>> optimizer = mg.optim.SGD([w], lr=0.1)
    >>> def loss_fn():
    ...     return (w ** 2 * mg.tensor([1.0, 4.0])).sum()
    >>> path = [w.detach().clone()]
    >>> for _ in range(5):
    ...     optimizer.zero_grad()
    ...     loss_fn().backward()
    ...     optimizer.step()
    ...     path.append(w.detach().clone())
    >>> picture = mg.viz.landscape(loss_fn, w, path=path, points=9)
    >>> picture.values.shape, picture.path[0]
    ((9, 9), array([2., 1.]))
    """
    tensors = [params] if isinstance(params, Tensor) else list(params)
    if not tensors or not all(isinstance(p, Tensor) and p.is_floating_point() for p in tensors):
        raise ArgumentError("landscape(): argument 'params' must be a floating-point Tensor or some of them, as model."
                            f"parameters() is, got {', '.join(type(p).__name__ for p in tensors[:3]) or 'none'}")
    if points < 3:
        raise InvalidValueError(f"landscape(): argument 'points' must be at least 3, got {points}")
    now = flat(tensors)
    steps = np.array([flat_given("path", p, tensors) for p in path or ()]).reshape(-1, now.size)
    if directions is None:
        directions = "axes" if now.size == 2 else "pca" if len(steps) else "random"
    origin = np.zeros(2) if directions == "axes" else steps[-1] if len(steps) else now
    first, second, labels = choose_directions(directions, tensors, steps)
    basis = np.stack([first, second], axis=1)
    places = run_quietly(np.linalg.lstsq, basis, (steps - origin).T)[0].T if len(steps) else np.empty((0, 2))
    here = run_quietly(np.linalg.lstsq, basis, now - origin)[0]
    (left, right), (bottom, top) = span_of(span, places, here)
    x, y = np.linspace(left, right, points), np.linspace(bottom, top, points)
    values = np.empty((points, points))
    try:
        with no_grad():
            for j, b in enumerate(y):
                for i, a in enumerate(x):
                    write(tensors, origin + a * first + b * second)
                    loss = loss_fn()
                    if np.size(loss) != 1:
                        raise InvalidValueError("landscape(): argument 'loss_fn' must return one number, got one of shape "
                                                f"{list(np.shape(loss))}; return its mean()")
                    values[j, i] = float(loss.item() if hasattr(loss, "item") else loss)
    finally:
        with no_grad():
            write(tensors, now)
    return Landscape(x, y, values, places, labels)


def choose_directions(directions: Any, tensors: list[Any], steps: Any) -> tuple[Any, Any, tuple[str, str]]:
    """Two directions, and what they are called."""
    if isinstance(directions, str):
        if directions == "axes":
            return np.array([1.0, 0.0]), np.array([0.0, 1.0]), ("first parameter", "second parameter")
        if directions == "random":
            return random_direction(tensors), random_direction(tensors), ("first random direction", "second random direction")
        if directions == "pca":
            if len(steps) < 3:
                raise InvalidValueError(f"landscape(): directions='pca' needs a path of at least 3 steps, got {len(steps)}")
            _, sizes, found = run_quietly(np.linalg.svd, steps - steps.mean(axis=0), full_matrices=False)
            shares = sizes[:2] ** 2 / (sizes ** 2).sum() if sizes.any() else np.zeros(2)
            main, second = (f"{s:.0%} of its variance" for s in shares)
            return found[0], found[1], (f"main direction of the path ({main})", f"second direction of the path ({second})")
        raise InvalidValueError("landscape(): argument 'directions' must be 'random', 'pca' or two directions of the parameters' "
                                f"shapes, got {directions!r}")
    if len(directions) != 2:
        raise InvalidValueError(f"landscape(): argument 'directions' must be two, got {len(directions)}")
    first, second = (flat_given("directions", d, tensors) for d in directions)
    return first, second, ("first direction", "second direction")


def random_direction(tensors: list[Any]) -> Any:
    """A direction in which each filter, or row of a matrix, is as long as that of the parameter; vectors stay as they are."""
    parts = []
    for p in tensors:
        values = _arrays.to_numpy(p.detach().array).astype(np.float64)
        drawn = randn(tuple(p.shape)).numpy().astype(np.float64)
        if values.ndim < 2:
            drawn *= 0 if len(tensors) > 1 else 1
        else:
            others = tuple(range(1, values.ndim))
            length = np.sqrt((drawn ** 2).sum(axis=others, keepdims=True))
            drawn *= np.sqrt((values ** 2).sum(axis=others, keepdims=True)) / np.maximum(length, 1e-12)
        parts.append(drawn.reshape(-1))
    return np.concatenate(parts)


def span_of(span: Any, places: Any, here: Any) -> tuple[tuple[float, float], tuple[float, float]]:
    """From where to where in both directions."""
    if span is not None and np.ndim(span) == 2:
        (left, right), (bottom, top) = span
        return (float(left), float(right)), (float(bottom), float(top))
    if span is None and len(places):
        low, high = places.min(axis=0), places.max(axis=0)
        room = np.maximum(0.3 * (high - low), 0.1 * float(max(high - low)) or 1.0)
        return (low[0] - room[0], high[0] + room[0]), (low[1] - room[1], high[1] + room[1])
    away = 1.0 if span is None else float(span)
    if not 0 < away < math.inf:
        raise InvalidValueError(f"landscape(): argument 'span' must be greater than 0, got {span}")
    return (here[0] - away, here[0] + away), (here[1] - away, here[1] + away)


def flat(tensors: list[Any]) -> Any:
    """All numbers of tensors in one array."""
    return np.concatenate([_arrays.to_numpy(t.detach().array).astype(np.float64).reshape(-1) for t in tensors])


def flat_given(name: str, given: Any, tensors: list[Any]) -> Any:
    """All numbers of tensors or arrays that must have the shapes of `tensors`."""
    parts = [given] if len(tensors) == 1 and np.shape(given) == tuple(tensors[0].shape) else list(given)
    shapes, right = [tuple(np.shape(p)) for p in parts], [tuple(t.shape) for t in tensors]
    if shapes != right:
        raise InvalidValueError(f"landscape(): argument '{name}' must have the shapes of the parameters, {right}, got {shapes}")
    return np.concatenate([np.asarray(_arrays.to_numpy(p.detach().array) if isinstance(p, Tensor) else p, np.float64).reshape(-1)
                           for p in parts])


def write(tensors: list[Any], values: Any) -> None:
    """Put numbers into tensors."""
    at = 0
    for t in tensors:
        t.copy_(from_numpy(values[at:at + t.numel()].reshape(tuple(t.shape))))
        at += t.numel()
