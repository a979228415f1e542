"""How a tensor is written: PyTorch's layout of numbers in lines, to the character."""

from __future__ import annotations

import contextlib
import math
from typing import Any, Iterator

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad._types.tensor_base import LEAF
from minigrad.errors import InvalidValueError
from minigrad.recording.call import about_to_read

__all__ = ["get_printoptions", "printoptions", "set_printoptions"]

PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80}}
_options: dict[str, Any] = {**PROFILES["default"], "sci_mode": None}


def set_printoptions(precision: int | None = None, threshold: float | None = None, edgeitems: int | None = None,
                     linewidth: int | None = None, profile: str | None = None, sci_mode: bool | None = None) -> None:
    """Change how tensors are printed.

    Args:
        precision: digits after the point (4).
        threshold: the number of elements from which on only the edges of a tensor are shown (1000).
        edgeitems: how many elements, rows and so on are an edge (3).
        linewidth: characters in a line (80).
        profile: ``"default"``, ``"short"`` or ``"full"``: set all of these at once.
        sci_mode: with exponents or without; None chooses for each tensor.
    """
    if profile is not None:
        if profile not in PROFILES:
            raise InvalidValueError(f"set_printoptions: unknown profile {profile!r}; there are {', '.join(map(repr, PROFILES))}")
        _options.update(PROFILES[profile])
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    _options.update({name: value for name, value in given.items() if value is not None}, sci_mode=sci_mode)


def get_printoptions() -> dict[str, Any]:
    """The options in force, as :func:`set_printoptions` takes them."""
    return dict(_options)


@contextlib.contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """Options of :func:`set_printoptions` for a ``with`` block."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


class Style:
    """How the numbers of one tensor are written: all with the same number of characters, if they are finite."""

    def __init__(self, array: Any) -> None:
        self.floating = array.dtype.kind in "fV"
        self.whole = self.exponents = False
        self.width = 1
        if not self.floating:
            self.width = max([len(str(x)) for x in array.reshape(-1).tolist()], default=1)
            return
        numbers = array[np.isfinite(array) & (array != 0)].astype(np.float64)
        self.whole = bool((numbers == np.ceil(numbers)).all())
        if numbers.size:
            smallest, largest = float(np.abs(numbers).min()), float(np.abs(numbers).max())
            self.exponents = largest / smallest > 1000 or largest > 1e8 or smallest < 1e-4
            if _options["sci_mode"] is not None:
                self.exponents = _options["sci_mode"]
            self.width = max(len(self.text(x)) for x in numbers.tolist())

    def text(self, x: Any) -> str:
        """`x` with as many characters as it needs."""
        if not self.floating:
            return str(x)
        if self.exponents:
            return f"{x:.{_options['precision']}e}"
        if self.whole:
            return f"{x:.0f}." if math.isfinite(x) else f"{x:.0f}"
        return f"{x:.{_options['precision']}f}"

    def __call__(self, x: Any) -> str:
        return self.text(x).rjust(self.width)


class ComplexStyle:
    """How complex numbers are written: real and imaginary part each in a style of their own."""

    def __init__(self, array: Any) -> None:
        self.real, self.imag = Style(array.real), Style(array.imag)
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, x: complex) -> str:
        imag = self.imag(x.imag).lstrip()
        return self.real(x.real) + ("" if imag[0] in "+-" else "+") + imag + "j"


def edges(array: Any) -> Any:
    """The part of `array` that is shown where it has too many elements to show all."""
    edge = _options["edgeitems"]
    for d, n in enumerate(array.shape):
        if n > 2 * edge:
            array = np.take(array, [*range(edge), *range(n - edge, n)], axis=d)
    return array


def format_array(array: Any, style: Style | ComplexStyle, indent: int, short: bool) -> str:
    """The elements of `array` in nested brackets, the first of which stands in column `indent`."""
    if array.ndim == 0:
        return style(array.item())
    edge = _options["edgeitems"]
    left_out = short and len(array) > 2 * edge
    if array.ndim > 1:
        parts = [*array[:edge], None, *array[len(array) - edge:]] if left_out else list(array)
        between = "," + "\n" * int(array.ndim - 1) + " " * (indent + 1)
        rows = ["..." if part is None else format_array(part, style, indent + 1, short) for part in parts]
        return "[" + between.join(rows) + "]"
    if short and not edge:
        items = ["..."]
    elif left_out:
        items = [*map(style, array[:edge].tolist()), " ...", *map(style, array[-edge:].tolist())]
    else:
        items = [style(x) for x in array.tolist()]
    per_line = max(1, (_options["linewidth"] - indent) // (style.width + 2))
    lines = [", ".join(items[k:k + per_line]) for k in range(0, len(items), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"


def tensor_repr(t: Any) -> str:
    """The tensor's values, and of its dtype, device and place in the graph what is not the default."""
    prefix = f"{'tensor' if type(t).__name__ in ('Tensor', 'Parameter', 'Buffer') else type(t).__name__}("
    about_to_read(t)
    array = _arrays.to_numpy(t.array)
    default = dtypes.get_default_dtype()
    notes = [] if t.device.type == "cpu" else [f"device='{t.device}'"]
    if array.size == 0:
        notes += [f"size={tuple(array.shape)}"] if array.ndim != 1 else []
        notes += [f"dtype={t.dtype}"] if t.dtype is not default else []
        text = prefix + "[]"
    else:
        short = array.size > _options["threshold"]
        style = (ComplexStyle if array.dtype.kind == "c" else Style)(edges(array) if short else array)
        text = prefix + format_array(array, style, len(prefix), short)
        notes += [f"size={tuple(array.shape)}"] if not _options["edgeitems"] else []
        notes += [f"dtype={t.dtype}"] if t.dtype not in (default, default.to_complex(), dtypes.int64, dtypes.bool_) else []
    if t.grad_fn is not None:
        notes.append(f"grad_fn=<{t.grad_fn.name()}>")
    elif t.node is LEAF:
        notes.append("requires_grad=True")
    column = len(text) - text.rfind("\n") + 1
    for note in notes:
        if column + len(note) + 2 > _options["linewidth"]:
            text += ",\n" + " " * len(prefix) + note
            column = len(prefix) + len(note)
        else:
            text += ", " + note
            column += len(note) + 2
    return text + ")"
