"""A table of a model's layers: what goes in and comes out, parameters, multiplications, memory.

The columns, the tree and the figures are those that users of PyTorch know from torchinfo: a weight counts as one multiply-add for
each sample of the batch, that of a convolution for each place of the result, that of a recurrent layer for each step.
"""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Iterable, Iterator, Mapping, Sequence

import numpy as np

from minigrad._pytree import tree_leaves, tree_map_only
from minigrad._tensor import Tensor
from minigrad._types import dtypes
from minigrad.autograd import no_grad
from minigrad.errors import ArgumentError, InvalidValueError, StateError
from minigrad.nn import Module
from minigrad.nn.parameter import is_lazy
from minigrad.ops.creation import as_tensor
from minigrad.ops.sampling import rand
from minigrad.random import fork_rng

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike

__all__ = ["LayerInfo", "ModelStatistics", "summary"]

COLUMNS = {"input_size": "Input Shape", "output_size": "Output Shape", "num_params": "Param #", "params_percent": "Param %",
           "kernel_size": "Kernel Shape", "mult_adds": "Mult-Adds", "trainable": "Trainable"}
ROWS = ("ascii_only", "depth", "var_names", "hide_recursive_layers")
NEED_INPUT = ("input_size", "output_size", "mult_adds")
LEAST_WIDTH = 40  # of the column of names
INDENT = 5


@dataclass
class Count:
    """A parameter as it is counted: one that is pruned has as many elements as its mask lets through."""

    name: str
    size: int
    shape: list[int]
    bytes: int
    trainable: bool


@dataclass
class LayerInfo:
    """One row: a call of a module, or a module that holds others and was not called itself.

    ``var_name`` is what its parent calls it, ``depth`` how many modules it is in, ``depth_index`` the number of its row among
    those of that depth. ``is_recursive`` says that the module has a row further up; ``children`` are all rows below it. Sizes are
    lists, ``output_bytes`` and ``param_bytes`` bytes, and ``macs`` counts multiply-adds.

    >>> from minigrad import nn
    >>> row = summary(nn.Sequential(nn.Linear(3, 4)), (5, 3), verbose=0).summary_list[1]
    >>> row.class_name, row.output_size, row.num_params, row.macs
    ('Linear', [5, 4], 16, 80)
    """

    module: Module
    var_name: str
    depth: int
    parent: LayerInfo | None = field(default=None, repr=False)
    depth_index: int = 0
    executed: bool = False
    is_recursive: bool = False
    input_size: list[int] = field(default_factory=list)
    output_size: list[int] = field(default_factory=list)
    output_bytes: int = 0
    counts: dict[int, Count] = field(default_factory=dict, repr=False)  # by the identity of the parameter
    children: list[LayerInfo] = field(default_factory=list, repr=False)

    @property
    def class_name(self) -> str:
        """The name of the module's class."""
        return type(self.module).__name__

    @property
    def is_leaf_layer(self) -> bool:
        """Whether the module holds no other."""
        return not any(True for _ in self.module.children())

    @property
    def kernel_size(self) -> Any:
        """The module's ``kernel_size``, as a list where it has a number for each dimension; None where it has none."""
        found = getattr(self.module, "kernel_size", None)
        return list(found) if isinstance(found, (tuple, list)) else found

    @property
    def num_params(self) -> int:
        """How many elements the module's parameters have."""
        return sum(c.size for c in self.counts.values())

    @property
    def trainable_params(self) -> int:
        """How many of them require a gradient."""
        return sum(c.size for c in self.counts.values() if c.trainable)

    @property
    def param_bytes(self) -> int:
        """How many bytes they take."""
        return sum(c.bytes for c in self.counts.values())

    @property
    def leftover_params(self) -> int:
        """How many of them no row below counts."""
        below = {id for row in self.children for id in row.counts}
        return sum(c.size for id, c in self.counts.items() if id not in below)

    @property
    def trainable(self) -> str:
        """``"True"``, ``"False"``, ``"Partial"``, or ``"--"`` without parameters."""
        trained, all_of_them = self.trainable_params, self.num_params
        return "--" if not all_of_them else "False" if not trained else "True" if trained == all_of_them else "Partial"

    @property
    def macs(self) -> int:
        """The multiply-adds of the parameters, for the whole batch; 0 for a module that was not called."""
        if not self.executed or not self.output_size:
            return 0
        size = self.output_size
        places = math.prod(size[:1] + size[2:]) if "Conv" in self.class_name else size[0]
        return sum(c.size * (places if c.name in ("weight", "bias") else math.prod(size[:2]))
                   for c in self.counts.values() if "weight" in c.name or "bias" in c.name)


class ModelStatistics:
    """What :func:`summary` gives; ``str`` of it is the table.

    ``summary_list`` has a :class:`LayerInfo` for each row, ``input_size`` the shapes of the inputs. ``total_params``,
    ``trainable_params`` and ``total_mult_adds`` are numbers; ``total_input``, ``total_output_bytes`` (twice, because gradients
    take as much again) and ``total_param_bytes`` bytes.

    >>> from minigrad import nn
    >>> summary(nn.Linear(3, 4), (5, 3), verbose=0).total_params
    16
    """

    def __init__(self, summary_list: list[LayerInfo], input_size: Any, total_input: int, table: Table) -> None:
        self.summary_list, self.input_size, self.total_input, self.table = summary_list, input_size, total_input, table
        leaves = [row for row in summary_list if row.is_leaf_layer]
        model = summary_list[0]
        self.total_params, self.trainable_params = model.num_params, model.trainable_params
        self.total_param_bytes = model.param_bytes
        self.total_mult_adds = sum(row.macs for row in leaves)
        self.total_output_bytes = sum(2 * row.output_bytes for row in leaves if row.num_params)

    def __str__(self) -> str:
        return "\n".join(self.table.lines(self))

    __repr__ = __str__


@dataclass
class Table:
    """How a summary is written."""

    columns: tuple[str, ...]
    width: int
    depth: int
    rows: frozenset[str]
    parameters: bool

    def lines(self, found: ModelStatistics) -> Iterator[str]:
        """The lines of the table."""
        listed = found.summary_list
        longest = max(len(self.title(row)) + row.depth * INDENT + 1 for row in listed)
        names = LEAST_WIDTH if longest < LEAST_WIDTH else -(-longest // INDENT) * INDENT
        rule = "=" * (len(self.columns) * self.width + names)
        head = " (var_name)" * ("var_names" in self.rows) + ":depth-idx" * ("depth" in self.rows)
        yield from (rule, self.line(names, f"Layer (type{head})", COLUMNS), rule)
        for row in listed:
            if row.depth > self.depth or row.is_recursive and "hide_recursive_layers" in self.rows:
                continue
            yield self.line(names, self.branch(row.depth) + self.title(row), self.cells(row, found.total_params))
            counts = [c for c in row.counts.values() if self.parameters and (row.depth or "." not in c.name)]
            for k, c in enumerate(counts):
                mark = ("+-" if "ascii_only" in self.rows else "└─" if k == len(counts) - 1 else "├─")
                shape = [c.shape[1], c.shape[0], *c.shape[2:]] if c.name == "weight" and len(c.shape) > 1 else c.shape
                yield self.line(names, self.branch(row.depth + 1) + c.name,
                                {"kernel_size": str(shape), "num_params": f"{mark}{c.size:,}"})
        yield from (rule, f"Total params: {found.total_params:,}", f"Trainable params: {found.trainable_params:,}",
                    f"Non-trainable params: {found.total_params - found.trainable_params:,}")
        if found.input_size:
            total = found.total_input + found.total_output_bytes + found.total_param_bytes
            yield from (f"Total mult-adds {in_units(found.total_mult_adds)}", rule,
                        f"Input size (MB): {found.total_input / 1e6:0.2f}",
                        f"Forward/backward pass size (MB): {found.total_output_bytes / 1e6:0.2f}",
                        f"Params size (MB): {found.total_param_bytes / 1e6:0.2f}",
                        f"Estimated Total Size (MB): {total / 1e6:0.2f}")
        yield rule

    def title(self, row: LayerInfo) -> str:
        """What a row is called."""
        named = f" ({row.var_name})" if "var_names" in self.rows and row.var_name else ""
        return row.class_name + named + (f": {row.depth}-{row.depth_index}" if "depth" in self.rows and row.depth else "")

    def branch(self, depth: int) -> str:
        """The lines of the tree before a row."""
        plain = "ascii_only" in self.rows
        if depth <= 1:
            return ("+ " if plain else "├─") * depth
        return ("|    " if plain else "│    ") * (depth - 1) + ("+ " if plain else "└─")

    def line(self, names: int, title: str, cells: Mapping[str, str]) -> str:
        """One line."""
        return " ".join([f"{title:<{names}}", *[f"{cells.get(name, ''):<{self.width}}" for name in self.columns]]).rstrip()

    def cells(self, row: LayerInfo, total: int) -> dict[str, str]:
        """What stands in the columns of a row. One whose members are not shown counts them too."""
        whole = row.is_leaf_layer or row.depth == self.depth
        own = row.num_params if whole else row.leftover_params
        number, percent, macs = "--", f"{'':5}--", 0
        if row.is_recursive and row.num_params:
            number = percent = "(recursive)"
        elif own:
            number = f"{own:,}" if row.trainable_params or not whole else f"({own:,})"
            percent = f"{own / total:>7.2%}"
        if row.is_leaf_layer:
            macs = row.macs
        elif whole and row.macs:
            macs = sum(child.macs for child in row.children if child.is_leaf_layer)
        return {"input_size": str(row.input_size or "--"), "output_size": str(row.output_size or "--"),
                "kernel_size": str(row.kernel_size or "--"), "num_params": number, "params_percent": percent,
                "mult_adds": f"{macs:,}" if macs else "--", "trainable": row.trainable}


def in_units(number: int) -> str:
    """A large number in millions, billions or trillions."""
    unit, size = next(((u, s) for u, s in (("T", 1e12), ("G", 1e9)) if number >= s), ("M", 1e6))
    value = number / size
    return f"({unit}): {int(value):,}" if value.is_integer() else f"({unit}): {value:,.2f}"


def summary(model: Module, input_size: Any = None, input_data: Any = None, batch_dim: int | None = None,
            col_names: Iterable[str] | None = None, col_width: int = 25, depth: int = 3, device: DeviceLike | None = None,
            dtypes: Sequence[Any] | None = None, mode: str | None = None, row_settings: Iterable[str] | None = None,
            verbose: int | None = None, **kwargs: Any) -> ModelStatistics:
    """Print and return a table of the layers of `model`, as torchinfo does, whose arguments and figures these are.

    Args:
        model: the module. It is run once, without gradients; its mode, its hooks, its buffers and the random numbers that follow
            are afterwards as before.
        input_size: the shape of its input, with the batch, or a list of the shapes of several inputs; random numbers are made.
        input_data: the input itself instead: a tensor or an array, a sequence of positional arguments, or a dictionary of named
            ones. Without either the model is not run, and the table has its layers and parameters alone.
        batch_dim: the dimension, not in `input_size`, that a batch of one sample is put at.
        col_names: the columns, some of "input_size", "output_size", "num_params", "params_percent", "kernel_size", "mult_adds"
            and "trainable"; ("output_size", "num_params") unless given.
        col_width: the width of a column, in characters.
        depth: how many levels of modules to show.
        device: where the input is made, and the model moved to; None: where its parameters are.
        dtypes: of the inputs that are made, ``[mg.int64]``; float32 unless given.
        mode: ``"eval"``, unless given, or ``"train"``.
        row_settings: some of "depth", which alone is on unless given, "var_names", "ascii_only" and "hide_recursive_layers".
        verbose: 0 prints nothing, 1 the table, 2 also each parameter; in an interactive session 0, else 1, unless given.
        **kwargs: further named arguments of the model.

    Returns: a :class:`ModelStatistics`.

    Raises: ``RuntimeError`` if both `input_size` and `input_data` are given; ``ValueError`` for a column, a setting, a mode or a
        size that there is not; whatever the model itself raises, with a note of the layers that had run.

    >>> from minigrad import nn
    >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    >>> print(summary(model, (5, 3), verbose=0))
    ==========================================================================================
    Layer (type:depth-idx)                   Output Shape              Param #
    ==========================================================================================
    Sequential                               [5, 1]                    --
    ├─Linear: 1-1                            [5, 4]                    16
    ├─ReLU: 1-2                              [5, 4]                    --
    ├─Linear: 1-3                            [5, 1]                    5
    ==========================================================================================
    Total params: 21
    Trainable params: 21
    Non-trainable params: 0
    Total mult-adds (M): 0.00
    ==========================================================================================
    Input size (MB): 0.00
    Forward/backward pass size (MB): 0.00
    Params size (MB): 0.00
    Estimated Total Size (MB): 0.00
    ==========================================================================================
    """
    if not isinstance(model, Module):
        raise ArgumentError(f"summary(): argument 'model' must be a Module, not {type(model).__name__}")
    if input_size is not None and input_data is not None:
        raise StateError("summary(): Only one of (input_data, input_size) should be specified.")
    runs = input_size is not None or input_data is not None
    columns = chosen("col_names", col_names, COLUMNS, ("output_size", "num_params") if runs else ("num_params",))
    rows = chosen("row_settings", row_settings, ROWS, ("depth",))
    needed = [name for name in columns if name in NEED_INPUT]
    if needed and not runs:
        raise InvalidValueError(f"summary(): the columns {', '.join(needed)} need a run of the model: give input_size or "
                                "input_data")
    if mode not in (None, "eval", "train"):
        raise InvalidValueError(f"summary(): argument 'mode' must be 'eval' or 'train', got {mode!r}")
    if verbose not in (None, 0, 1, 2) or col_width <= 0:
        raise InvalidValueError("summary(): argument 'verbose' must be 0 (print nothing), 1 (the table) or 2 (also each "
                                f"parameter), and 'col_width' greater than 0; got verbose={verbose!r}, col_width={col_width}")
    place = device if device is not None else next((p.device for p in model.parameters()), None)
    if device is not None:
        model.to(device)
    if input_size is not None:
        shapes = sizes_of(input_size)
        given: Any = made_inputs(shapes, batch_dim, dtypes, place)
    else:
        given = tree_map_only(np.ndarray, as_tensor, input_data)
        if device is not None:
            given, kwargs = (tree_map_only(Tensor, lambda t: t.to(device), x) for x in (given, kwargs))
        given = [given] if isinstance(given, Tensor) else given
        shapes = [list(t.shape) for t in tree_leaves(given) if isinstance(t, Tensor)] if runs else []
    listed = run(model, given, kwargs, mode == "train") if runs else named_rows(model)
    finish(listed)
    table = Table(columns, col_width, depth, frozenset(rows), verbose == 2)
    used = sum(t.nbytes for t in tree_leaves(given) if isinstance(t, Tensor))
    found = ModelStatistics(listed, shapes, used, table)
    if verbose or verbose is None and not hasattr(sys, "ps1"):
        print(found)
    return found


def chosen(argument: str, given: Iterable[str] | None, known: Iterable[str], default: tuple[str, ...]) -> tuple[str, ...]:
    """The words that an argument gives, each of which must be known."""
    words = default if given is None else tuple(given)
    unknown = [word for word in words if word not in known]
    if unknown:
        raise InvalidValueError(f"summary(): argument '{argument}' has {unknown[0]!r}, but there are {', '.join(known)}")
    return words


def sizes_of(input_size: Any) -> list[list[int]]:
    """The shapes of the inputs: of one, or of several."""
    shapes = list(input_size) if isinstance(input_size, Iterable) and not isinstance(input_size, str) else []
    shapes = [shapes] if shapes and all(isinstance(n, int) for n in shapes) else shapes
    if not shapes or not all(isinstance(s, Iterable) and all(isinstance(n, int) and n > 0 for n in s) for s in shapes):
        raise InvalidValueError("summary(): argument 'input_size' must be the shape of the input, (1, 3, 32, 32), or a list of "
                                f"the shapes of several, with sizes greater than 0; got {input_size!r}")
    return [list(s) for s in shapes]


def made_inputs(shapes: list[list[int]], batch_dim: int | None, kinds: Sequence[Any] | None, device: Any) -> list[Tensor]:
    """Random inputs of these shapes."""
    kinds = kinds if kinds is not None else [dtypes.float32] * len(shapes)
    if len(kinds) != len(shapes):
        raise InvalidValueError(f"summary(): argument 'dtypes' has {len(kinds)} dtypes for {len(shapes)} inputs")
    with fork_rng():
        made = [rand(*shape, device=device).to(kind) for shape, kind in zip(shapes, kinds)]
    return made if batch_dim is None else [x.unsqueeze(batch_dim) for x in made]


def named_rows(model: Module) -> list[LayerInfo]:
    """A row for each module, under each of its names, those that hold others before what they hold."""
    rows: list[LayerInfo] = []
    waiting = [LayerInfo(model, type(model).__name__, 0)]
    while waiting:
        row = waiting.pop()
        rows.append(row)
        waiting += [LayerInfo(part, name, row.depth + 1, row) for name, part in reversed(row.module._modules.items())
                    if part is not None]
    return rows


def run(model: Module, given: Any, kwargs: dict[str, Any], training: bool) -> list[LayerInfo]:
    """Run the model, and return a row for each call of a module in it."""
    listed: list[LayerInfo] = []
    open_rows: list[LayerInfo] = []
    named: dict[int, list[LayerInfo]] = {}
    for row in named_rows(model):
        named.setdefault(id(row.module), []).append(row)

    def begin(module: Module, args: Any, named_args: Any) -> None:
        names = named[id(module)]  # of a shared one, the name in what has called it
        known = next((row for row in names if open_rows and open_rows[-1].module in [a.module for a in above(row)]), names[0])
        row = LayerInfo(module, known.var_name, known.depth, known.parent, input_size=first_shape((args, named_args)))
        listed.append(row)
        open_rows.append(row)

    def end(module: Module, args: Any, output: Any) -> None:
        while (row := open_rows.pop()).module is not module:
            pass  # it has raised, and the model went on
        row.executed, row.output_size = True, first_shape(output)
        first = first_tensor(output)
        row.output_bytes = first.nbytes if first is not None else 0

    modules = {id(m): m for m in model.modules()}.values()
    modes = [(m, m.training) for m in modules]
    buffers = [(b, b.clone()) for b in model.buffers()] if training else []
    handles = [h for m in modules for h in (m.register_forward_pre_hook(begin, with_kwargs=True), m.register_forward_hook(end))]
    try:
        model.train(training)
        with no_grad(), fork_rng():
            if isinstance(given, Mapping):
                model(**given, **kwargs)
            else:
                model(*given, **kwargs)
    except Exception as error:
        ran = ", ".join(f"{row.class_name} ({row.var_name})" for row in listed if row.executed)
        error.add_note(f"summary(): of the model's layers these had run: {ran or 'none'}")
        raise
    finally:
        for handle in handles:
            handle.remove()
        for module, mode in modes:
            module.training = mode
        for buffer, before in buffers:
            buffer.copy_(before)
    return with_holders(listed)


def above(row: LayerInfo) -> list[LayerInfo]:
    """The rows that hold a row, from the innermost to the model."""
    found = []
    while row.parent is not None:
        row = row.parent
        found.append(row)
    return found


def with_holders(listed: list[LayerInfo]) -> list[LayerInfo]:
    """The rows, with one before them for each module that holds called ones but was not called itself, as a ModuleList."""
    found: list[LayerInfo] = []
    path: list[LayerInfo] = []  # the rows that hold the last one, from the outermost, and that one itself
    for row in listed:
        holders = above(row)[::-1]
        same = next((k for k, (a, b) in enumerate(zip(path, holders)) if a.module is not b.module), min(len(path), len(holders)))
        missing = [LayerInfo(a.module, a.var_name, a.depth, a.parent) for a in holders[same:]]
        found += [*missing, row]
        path = [*path[:same], *missing, row]
    return found


def finish(listed: list[LayerInfo]) -> None:
    """Number the rows, count parameters, and say which rows are below which."""
    numbers: dict[int, int] = {}
    seen: set[int] = set()
    holders: list[LayerInfo] = []
    for row in listed:
        numbers[row.depth] = row.depth_index = numbers.get(row.depth, 0) + 1
        row.is_recursive = id(row.module) in seen
        seen.add(id(row.module))
        row.counts = counted(row.module)
        holders = [holder for holder in holders if holder.depth < row.depth]
        for holder in holders:
            holder.children.append(row)
        holders.append(row)


def counted(module: Module) -> dict[int, Count]:
    """The parameters of a module; those that wait for an input to have a shape are left out."""
    found = {}
    for name, p in module.named_parameters():
        if is_lazy(p):
            continue
        size = p.numel()
        if name.endswith("_orig"):
            name = name.removesuffix("_orig")
            holder, _, own = name.rpartition(".")
            mask = getattr(module.get_submodule(holder), f"{own}_mask", None)
            size = size if mask is None else int(mask.sum().item())
        found[id(p)] = Count(name, size, list(p.shape), size * p.element_size(), p.requires_grad)
    return found


def first_tensor(tree: Any) -> Tensor | None:
    """The first tensor of what a module was given or gave; of a dictionary that it gave, in the last entry."""
    tree = list(tree.values())[-1] if isinstance(tree, dict) and tree else tree
    return next((x for x in tree_leaves(tree) if isinstance(x, Tensor)), None)


def first_shape(tree: Any) -> list[int]:
    """The shape of the first tensor; an empty list where there is none."""
    found = first_tensor(tree)
    return [] if found is None else list(found.shape)
