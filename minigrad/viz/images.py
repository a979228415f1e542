"""What a layer looks for, and what it found: filters and feature maps as grids of small images."""

from __future__ import annotations

import io
import math
import os
import warnings
from dataclasses import dataclass
from typing import Any, Iterable

import numpy as np

from minigrad import _arrays
from minigrad._pytree import tree_leaves
from minigrad._tensor import Tensor
from minigrad.autograd import no_grad
from minigrad.errors import ArgumentError, InvalidValueError, missing_extra
from minigrad.nn import Linear, Module
from minigrad.nn.modules.conv import ConvBase, TransposedConvolution
from minigrad.nn.parameter import is_lazy
from minigrad.viz.colours import DARK
from minigrad.viz.files import form_of, write_whole
from minigrad.viz.pages import page_of
from minigrad.viz.pixels import colour_channels, colour_grey, colour_signed, data_address, tile
from minigrad.viz.raster import write
from minigrad.viz.svg import clean

FORMATS = ("html", "svg", "png", "pdf")
SIDE = 56  # pixels that the longer side of a small image has at least
WIDTH = 900  # pixels that a row of them has at most, if it may be broken
MARGIN, LINE = 12, 18
LIMIT = 64
ALONE = 512  # pixels that an image without neighbours is wide at most, if it is enlarged
STRIP = 64  # units in a row
LARGEST = 16_000.0  # pixels that a side of a PNG has at most


@dataclass
class Grid:
    """Small images of one layer: ``values`` (n, height, width), or (n, height, width, 3) where they have colours of their own."""

    name: str
    caption: str
    values: Any
    columns: int = 0  # as many as fit, if 0
    signed: bool = False

    def pixels(self) -> Any:
        """One image (height, width, 4) of all, each of which has its own scale."""
        values = np.asarray(self.values, np.float64)
        colour = colour_channels if values.ndim == 4 else colour_signed if self.signed else colour_grey
        height, width = values.shape[1:3]
        times = max(1, round(SIDE / max(height, width)), min(8, ALONE // width) if len(values) == 1 else 1)
        images = np.stack([colour(v) for v in values]).repeat(times, axis=1).repeat(times, axis=2)
        rows = -(-len(values) // max(1, WIDTH // (images.shape[2] + 2)))
        return tile(images, self.columns or -(-len(values) // rows))


class Images:
    """Pictures of layers, that show themselves in a notebook. ``grids`` has for each layer its ``name``, a ``caption`` with
    the shape, and the ``values`` of its small images. :meth:`save` writes them in the form that the name asks for."""

    def __init__(self, title: str, grids: list[Grid]) -> None:
        self.title, self.grids = title, grids

    def svg(self) -> str:
        """The pictures as SVG."""
        parts, y, widest = [], MARGIN, 300
        for grid in self.grids:
            pixels = grid.pixels()
            height, width = pixels.shape[:2]
            text = f"{grid.name}  {grid.caption}"
            parts.append(f'<text x="{MARGIN}" y="{y + 12}" fill="#3f3f46"><tspan font-weight="bold" fill="#18181b">'
                         f"{clean(grid.name)}</tspan>  {clean(grid.caption)}</text>"
                         f'<image x="{MARGIN}" y="{y + LINE}" width="{width}" height="{height}" '
                         f'style="image-rendering:pixelated" href="{data_address(pixels)}"/>')
            y, widest = y + LINE + height + MARGIN, max(widest, width, 7 * len(text))
        size = f'width="{widest + 2 * MARGIN}" height="{y}"'
        return "\n".join([f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {widest + 2 * MARGIN} {y}" '
                          'font-family="Helvetica, Arial, sans-serif" font-size="12">', f"<title>{clean(self.title)}</title>",
                          f'<rect {size} fill="#ffffff"/>', *parts, "</svg>"])

    def fragment(self) -> str:
        """The pictures as a piece of a page."""
        return "\n".join(f'<figure><figcaption><b>{clean(g.name)}</b> {clean(g.caption)}</figcaption>'
                         f'<img alt="{clean(g.name)}" src="{data_address(g.pixels())}"></figure>' for g in self.grids)

    def html(self) -> str:
        """The pictures as a page that needs no other file."""
        return page_of(self.title, f"<header><h1>{clean(self.title)}</h1></header>\n{self.fragment()}")

    def png(self) -> bytes:
        """The pictures as PNG, by matplotlib. Raises ``ImportError`` without it."""
        return self.raster("png")

    def pdf(self) -> bytes:
        """The pictures as PDF, by matplotlib. Raises ``ImportError`` without it."""
        return self.raster("pdf")

    def raster(self, form: str) -> bytes:
        """The pictures in a form that we cannot write with text in it."""
        try:
            from matplotlib.figure import Figure
        except ModuleNotFoundError:
            raise missing_extra(f"a picture in the form .{form}", "matplotlib", "demo") from None
        sheets = [grid.pixels() for grid in self.grids]
        captions = [f"{grid.name}   {grid.caption}" for grid in self.grids]
        width = max([300, *(s.shape[1] for s in sheets), *(7 * len(c) for c in captions)]) + 2 * MARGIN
        height = MARGIN + sum(LINE + s.shape[0] + MARGIN for s in sheets)
        dots = min(72.0, LARGEST * 72 / max(width, height))
        figure = Figure(figsize=(width / 72, height / 72), dpi=dots)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set_axis_off()
        y = MARGIN
        for sheet, caption in zip(sheets, captions):
            write(axes, MARGIN, y + 12, caption, DARK, 11, "left")
            axes.imshow(sheet, extent=(MARGIN, MARGIN + sheet.shape[1], y + LINE + sheet.shape[0], y + LINE),
                        interpolation="nearest", aspect="auto")
            y += LINE + sheet.shape[0] + MARGIN
        axes.set(xlim=(0, width), ylim=(height, 0))
        file = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # a character that no font on this machine has is drawn as an empty box
            figure.savefig(file, format=form, dpi=dots)
        return file.getvalue()

    def save(self, path: str | os.PathLike[str]) -> str:
        """Write the pictures in the form that the end of `path` names: .html, .svg, .png or .pdf. Returns the path. Raises
        ``ValueError`` for another ending."""
        path = os.fspath(path)
        write_whole(path, getattr(self, form_of("images", path, FORMATS))())
        return path

    def __repr__(self) -> str:
        return f"<{self.title}: {', '.join(f'{g.name} {g.caption}' for g in self.grids)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"image/svg+xml": self.svg(), "text/plain": repr(self)}


# ---------------------------------------------------------------------------------------------------- filters

def filters(module: Any, layers: str | Iterable[str] | None = None, limit: int = LIMIT,
            shape: tuple[int, int] | None = None) -> Images:
    """The weights of convolutions as small images: what each filter looks for.

    Orange is positive, blue negative, white zero; each image has its own scale, up to its largest weight. Filters of three
    channels are drawn as colours. Of others, each row is a filter, and each column an input channel.

    Args:
        module: a convolution, or a module in which they are; where it has none, its linear layers whose inputs are square images.
        layers: paths of the layers to draw, ``"features.0"``; all, if not given.
        limit: how many small images to draw of a layer at most.
        shape: (height, width) of the images that linear layers are given, where they are not square.

    Returns: :class:`Images`, which show themselves in a notebook, and are saved as .html, .svg, .png or .pdf.

    Raises: ``TypeError`` for what is no module, or a path that leads to none; ``ValueError`` where no layer has filters.

    >>> import minigrad as mg
    >>> pictures = mg.viz.filters(mg.nn.Conv2d(3, 8, 5))
    >>> pictures
    <filters of Conv2d: Conv2d 8 filters of 3 channels, 5×5>
    >>> pictures.grids[0].values.shape
    (8, 5, 5, 3)
    """
    check_module("filters()", module)
    named = choose("filters()", module, layers)
    chosen: dict[str, Any] = {path: m for path, m in named.items() if isinstance(m, ConvBase)}
    if layers is not None or not chosen:
        chosen = {path: m for path, m in named.items() if isinstance(m, (ConvBase, Linear))}
    made = [filters_of(path or type(module).__name__, m, limit, shape) for path, m in chosen.items()]
    grids = [grid for grid in made if grid is not None]
    if not grids:
        raise InvalidValueError(f"filters(): {type(module).__name__} has no convolution whose weights could be drawn, and no "
                                "linear layer whose inputs are square images; for a linear layer say shape=(height, width) of "
                                "what it is given")
    return Images(f"filters of {type(module).__name__}", grids)


def filters_of(name: str, layer: Any, limit: int, shape: tuple[int, int] | None) -> Grid | None:
    """The grid of a layer; None for a linear layer that is not given images."""
    weight = layer.weight
    if is_lazy(weight):
        raise InvalidValueError(f"filters(): {name} has no weights yet; call the model once")
    values = values_of(weight)
    if isinstance(layer, Linear):
        height, width = shape or (math.isqrt(values.shape[1]),) * 2
        if height * width != values.shape[1] or min(height, width) < 2:
            return None
        return Grid(name, f"{len(values)} units, {height}×{width}{some(len(values), limit)}",
                    values[:limit].reshape(-1, height, width), signed=True)
    if isinstance(layer, TransposedConvolution):
        values = values.swapaxes(0, 1)
    count, channels = values.shape[:2]
    size = "×".join(map(str, values.shape[2:]))
    said = f"{count} filter{'s' * (count > 1)} of {channels} channel{'s' * (channels > 1)}, {size}"
    if values.ndim == 3:  # one dimension: the whole filter is an image of channels by places
        return Grid(name, said + some(count, limit), values[:limit], signed=True)
    if values.ndim == 5:  # three dimensions: the slices of a filter stand side by side, as channels do
        values = values.reshape(count, -1, *values.shape[3:])
        channels = values.shape[1]
    if channels == 3 and len(layer.weight.shape) == 4:
        return Grid(name, said + some(count, limit), np.moveaxis(values[:limit], 1, -1))
    if channels == 1:
        return Grid(name, said + some(count, limit), values[:limit, 0], signed=True)
    columns = min(channels, max(1, math.isqrt(limit)), WIDTH // (SIDE + 2))
    rows = min(count, max(1, limit // columns))
    shown = f"; {rows} of {count} filters, {columns} of {channels} channels" * ((rows, columns) != (count, channels))
    return Grid(name, said + shown, values[:rows, :columns].reshape(-1, *values.shape[2:]), columns, signed=True)


# ---------------------------------------------------------------------------------------------------- feature maps

def activations(model: Any, x: Any, layers: str | Iterable[str] | None = None, index: int | None = 0,
                limit: int = LIMIT) -> Images:
    """What each layer of a model makes of one example, as small images: the feature maps of convolutions, the units of others.

    The model runs once, in evaluation mode and without recording, and is then as it was before. Each small image has its own
    scale, from black for its least number to white for its largest.

    Args:
        model: a module.
        x: what it is called with: a batch, a tuple of arguments, or a dictionary of arguments by name.
        layers: paths of modules to draw, ``"features.0"``; all those without submodules, if not given.
        index: which example of the batch; None where `x` is one example without a dimension for batches.
        limit: how many small images to draw of a layer at most.

    Returns: :class:`Images`, the first of which is the input where that is an image.

    Raises: ``TypeError`` for a model that is no module, or a path that leads to none; ``ValueError`` for an `index` beyond the
    batch.

    >>> import minigrad as mg
    >>> from minigrad import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 6 * 6, 10))
    >>> for grid in mg.viz.activations(model, mg.rand(2, 1, 8, 8)).grids:
    ...     print(grid.name, grid.values.shape)
    input (1, 8, 8)
    0 (4, 6, 6)
    1 (4, 6, 6)
    2 (1, 3, 64)
    3 (1, 1, 10)
    """
    check_module("activations()", model)
    found: list[tuple[str, Any, Any]] = []
    arguments = x.values() if isinstance(x, dict) else x if isinstance(x, tuple) else (x,)
    found += [("input", None, a) for a in list(arguments)[:1] if isinstance(a, Tensor) and a.is_floating_point()]
    handles = []
    modes = {m: m.training for m in model.modules()}
    for path, module in choose("activations()", model, layers).items():
        if layers is not None or not any(True for _ in module.children()):
            def keep(module: Any, inputs: Any, output: Any, path: str = path) -> None:
                made = next((t for t in tree_leaves(output) if isinstance(t, Tensor)), None)
                if made is not None:
                    found.append((path or type(module).__name__, module, made.detach().clone()))

            handles.append(module.register_forward_hook(keep))
    try:
        model.eval()
        with no_grad():
            model(**x) if isinstance(x, dict) else model(*arguments)
    finally:
        for handle in handles:
            handle.remove()
        for m, training in modes.items():
            m.training = training
    return Images(f"activations of {type(model).__name__}", [maps_of(name, made, index, limit) for name, _, made in found])


def maps_of(name: str, made: Any, index: int | None, limit: int) -> Grid:
    """The grid of what a layer made of one example."""
    values = values_of(made)
    if index is not None and values.ndim:
        if not -len(values) <= index < len(values):
            raise InvalidValueError(f"activations(): argument 'index' must be less than {len(values)}, the number of examples in "
                                    f"the batch of shape {list(values.shape)} at {name}, got {index}")
        values = values[index]
    said = "×".join(map(str, values.shape)) or "scalar"
    if values.ndim == 3 and name == "input" and len(values) == 3:
        return Grid(name, said, np.moveaxis(values, 0, -1)[None])
    if values.ndim < 2:  # units, in rows
        values = values.reshape(-1)
        columns = min(values.size, STRIP) or 1
        padded = np.concatenate([values, np.full(-values.size % columns, values[-1:].sum())])
        return Grid(name, said, padded.reshape(1, -1, columns)[:, :limit])
    maps = values.reshape(-1, *values.shape[-2:])
    return Grid(name, said + some(len(maps), limit), maps[:limit])


# ---------------------------------------------------------------------------------------------------- both

def some(count: int, limit: int) -> str:
    """What a caption says where not all is drawn."""
    return f"; the first {limit}" if count > limit else ""


def values_of(tensor: Any) -> Any:
    """The numbers of a tensor on the host; of complex ones, their absolute values."""
    values = _arrays.to_numpy(tensor.detach().array)
    return np.abs(values) if values.dtype.kind == "c" else values.astype(np.float64)


def check_module(called: str, module: Any) -> None:
    """Raises ``TypeError`` for what is no module."""
    if not isinstance(module, Module):
        raise ArgumentError(f"{called}: argument 1 must be a Module, not {type(module).__name__}")


def choose(called: str, model: Any, layers: str | Iterable[str] | None) -> dict[str, Any]:
    """The modules of a model by their paths: those of `layers`, or all. Raises ``TypeError`` for a path that leads to none."""
    named = dict(model.named_modules())
    if layers is None:
        return named
    wanted = [layers] if isinstance(layers, str) else list(layers)
    for path in wanted:
        if path not in named:
            raise ArgumentError(f"{called}: {path!r} is no path of a module in {type(model).__name__}; there are "
                                f"{', '.join(repr(p) for p in list(named)[1:9])}{' ...' if len(named) > 9 else ''}")
    return {path: named[path] for path in wanted}
