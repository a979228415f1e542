"""``vmap``: a function of one example applied to many."""

from __future__ import annotations

import functools
from typing import Any, Callable

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad.errors import DimensionError, InvalidValueError, RuntimeValueError
from minigrad.func._trees import leaves_of, rebuild_tree, spread, structure_of
from minigrad.ops.indexing.as_strided import as_strided
from minigrad.ops.pointwise.arithmetic import view_as_complex, view_as_real
from minigrad.ops.shaping.slicing import cat, stack
from minigrad.random import Generator, watch_draws
from minigrad.recording.clock import memory_owner, watch_writes


def vmap(func: Callable[..., Any], in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *,
         chunk_size: int | None = None) -> Callable[..., Any]:
    """The function that applies `func` to each index of a dimension and stacks the results.

    Args:
        in_dims: the dimension of each argument to go along, None for an argument to hand over whole; an int for all. Arguments
            given by keyword are handed over whole. Along a dimension of size 0 `func` is called for zeros once, for the shapes of
            its results.
        out_dims: where the dimension goes in the results; None for a result that is the same for every index.
        randomness: ``"error"`` refuses a function that draws random numbers, ``"different"`` lets each index have its own,
            ``"same"`` gives all the same.
        chunk_size: accepted for compatibility; `func` runs once for each index.

    Raises: ``ValueError`` for `in_dims` or `out_dims` that do not fit what they are for.

    >>> import minigrad as mg
    >>> mg.func.vmap(mg.dot)(mg.ones(3, 2), mg.ones(3, 2))
    tensor([2., 2., 2.])
    """
    if randomness not in ("error", "different", "same"):
        raise RuntimeValueError("vmap: Only allowed values for randomness are 'error', 'different', or 'same'. Got "
                                f"{randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise InvalidValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")

    @functools.wraps(func)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        called = f"vmap({getattr(func, '__name__', func)!s})"
        leaves = leaves_of(args)
        along = dims_of_inputs(called, args, in_dims)
        size = mapped_size(called, leaves, along)
        if not size:  # the results' shapes are those of a result for zeros
            leaves = [leaf if d is None else cat([leaf, blank_slice(leaf, d)], dim=d) for leaf, d in zip(leaves, along)]
        slices: list[list[Any]] = []  # for each index, what the leaves are there
        results = []
        writes = SharedWrites(called, [leaf for leaf, d in zip(leaves, along) if d is not None])
        with Randomness(randomness) as random, watch_writes(writes.note):
            for k in range(size or 1):
                slices.append([leaf if d is None else leaf.select(d, k) for leaf, d in zip(leaves, along)])
                random.begin()
                results.append(func(*rebuild_tree(args, iter(slices[k])), **kwargs))
                writes.compare(random.drew)
        columns = [list(column) for column in zip(*map(leaves_of, results))]
        outs = dims_of_outputs(called, results[0], out_dims)
        inputs = [(leaf, d, [row[i] for row in slices]) for i, (leaf, d) in enumerate(zip(leaves, along)) if d is not None]
        joined = [join(called, c, d, inputs) for c, d in zip(columns, outs)]
        if not size:
            joined = [t if d is None else t.narrow(d, 0, 0) for t, d in zip(joined, outs)]
        return rebuild_tree(results[0], iter(joined))
    return wrapper


def blank_slice(leaf: Tensor, dim: int) -> Tensor:
    """Zeros for one index of dimension `dim` of `leaf`, which has none."""
    return leaf.new_zeros([1 if k == dim % leaf.ndim else size for k, size in enumerate(leaf.shape)])


def dims_of_inputs(called: str, args: tuple[Any, ...], in_dims: Any) -> list[Any]:
    """The dimension of each leaf of `args` to go along, or None."""
    if not isinstance(in_dims, (int, tuple)):
        raise InvalidValueError(f"{called}: expected `in_dims` to be int or a (potentially nested) tuple matching the structure "
                                f"of inputs, got: {type(in_dims)}.")
    if not args:
        raise InvalidValueError(f"{called}: got no inputs; it takes at least one tensor, whose dimension it goes along")
    dims = spread(in_dims, args)
    if dims is None:
        raise InvalidValueError(f"{called}: in_dims is not compatible with the structure of `inputs`: {in_dims} for "
                                f"{structure_of(args)}, which has a star for each tensor")
    for leaf, dim in zip(leaves_of(args), dims):
        if dim is None:
            continue
        if not isinstance(dim, int):
            raise InvalidValueError(f"{called}: Got in_dim={dim} for an input but in_dim must be either an integer dimension or "
                                    "None.")
        if not isinstance(leaf, Tensor):
            raise InvalidValueError(f"{called}: Got in_dim={dim} for an input but the input is of type {type(leaf)}; use None as "
                                    "in_dim of what is no tensor")
        if not -leaf.ndim <= dim < leaf.ndim:
            raise InvalidValueError(f"{called}: Got in_dim={dim} for some input, but that input is a Tensor of dimensionality "
                                    f"{leaf.ndim} so expected in_dim to satisfy -{leaf.ndim} <= in_dim < {leaf.ndim}.")
    return dims


def mapped_size(called: str, leaves: list[Any], along: list[Any]) -> int:
    """The size of the dimensions to go along, which is the same for all."""
    sizes = [leaf.shape[d] for leaf, d in zip(leaves, along) if d is not None]
    if not sizes:
        raise InvalidValueError(f"{called}: Expected at least one Tensor to vmap over, all of in_dims are None")
    if len(set(sizes)) > 1:
        raise InvalidValueError(f"{called}: Expected all tensors to have the same size in the mapped dimension, got sizes "
                                f"{sizes}")
    size: int = sizes[0]
    return size


def dims_of_outputs(called: str, output: Any, out_dims: Any) -> list[Any]:
    """Where the dimension goes in each leaf of `output`, or None."""
    for dim in leaves_of(out_dims):
        if dim is not None and not isinstance(dim, int):
            raise InvalidValueError(f"{called}: `out_dims` must be an int, None or a python collection of ints that say where in "
                                    f"the results the dimension goes, got {out_dims}")
    if isinstance(output, Tensor) and isinstance(out_dims, tuple) and len(out_dims) == 1:
        out_dims = out_dims[0]
    dims = spread(out_dims, output)
    if dims is None:
        raise InvalidValueError(f"{called}: out_dims is not compatible with the structure of `outputs`: {out_dims} for "
                                f"{structure_of(output)}, which has a star for each tensor")
    return dims


def join(called: str, column: list[Any], dim: int | None, inputs: list[tuple[Any, int, list[Any]]]) -> Any:
    """One result of the function at every index as one, with the dimension at `dim`.

    `inputs` are the arguments that were gone along, each with its dimension and its slices. A function that gives back its
    argument, perhaps after it wrote to it, gives the argument itself; one that gives a view of it gives a view of the whole.
    """
    first = column[0]
    if dim is None:
        if isinstance(first, Tensor) and not all(t is first or same_values(t, first) for t in column[1:]):
            raise InvalidValueError(f"{called}: the function can not return a BatchedTensor when out_dim is None: its result "
                                    "differs from index to index")
        return first
    for t in column:
        if not isinstance(t, Tensor):
            raise InvalidValueError(f"{called}: the function must only return Tensors, got type {type(t)}. Give out_dims=None "
                                    "for what is no tensor")
    if not -first.ndim - 1 <= dim <= first.ndim:
        raise DimensionError(f"{called}: Dimension out of range (expected to be in range of [{-first.ndim - 1}, {first.ndim}], "
                             f"but got out_dims={dim})")
    if all(lies_as(t, first) for t in column[1:]):
        return first.unsqueeze(dim).expand([len(column) if k == dim % (first.ndim + 1) else -1 for k in range(first.ndim + 1)])
    for leaf, at, slices in inputs:
        if all(t is s for t, s in zip(column, slices)):
            return leaf if at % leaf.ndim == dim % leaf.ndim else leaf.movedim(at, dim)
        if all(is_view_of(t, s) for t, s in zip(column, slices)):
            whole = leaf.movedim(at, 0)
            if first.is_complex() != leaf.is_complex():
                whole = view_as_real(whole) if leaf.is_complex() else view_as_complex(whole)
            step, size, stride = whole.stride(0), list(first.shape), list(first.stride())
            if all(lies_as(t, first, k * step) for k, t in enumerate(column)) and min(step, *stride, 0) == 0:
                size.insert(dim % (first.ndim + 1), len(column))
                stride.insert(dim % (first.ndim + 1), step)
                return as_strided(whole, size, stride, first.storage_offset())
    return stack(column).movedim(0, dim)


def lies_as(t: Tensor, first: Tensor, step: int = 0) -> bool:
    """Whether `t` is `first`, or both are views of one tensor and `t` lies there as `first` does, `step` elements further."""
    return t is first and not step or (
        t._base is not None and t._base is first._base and t.dtype is first.dtype and t.shape == first.shape
        and t.stride() == first.stride() and t.storage_offset() == first.storage_offset() + step
        and t.requires_grad == first.requires_grad)


def is_view_of(t: Tensor, piece: Tensor) -> bool:
    """Whether `t` was made from `piece`, itself a view, by operations that give views, and shows the same numbers."""
    return t._base is piece._base is not None and t._view[:len(piece._view)] == piece._view \
        and t.dtype.to_real() is piece.dtype.to_real() and t.requires_grad == piece.requires_grad


def same_values(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and bool((a == b).all())


class SharedWrites:
    """What a function that is called for each index writes into tensors that are the same for all of them.

    Each call overwrites what the one before wrote. So all have to write the same, as PyTorch does, where there is one call.
    """

    def __init__(self, called: str, apart: list[Tensor]) -> None:
        self.called = called
        self.apart = [memory_owner(t.array) for t in apart]  # held, and so their identities: here, each call has its part
        self.first: dict[Any, tuple[Any, Any]] | None = None  # by place, what the first call wrote: the array, and a copy of it
        self.latest: dict[Any, tuple[Any, str]] = {}  # by place, what this call wrote: the array, and the operation's name

    def note(self, array: Any, name: str) -> None:
        """What happens after `array` was written by the operation `name`."""
        if not any(memory_owner(array) is owner for owner in self.apart):
            self.latest[_arrays.address_of(array), array.shape, array.strides] = array, name

    def compare(self, random: bool) -> None:
        """End a call, in which numbers were drawn if it was `random`. Raises ``RuntimeError`` if it wrote something else than the
        first one."""
        if self.first is None:
            self.first = {place: (array, array.copy()) for place, (array, _) in self.latest.items()}
        for place, (array, name) in self.latest.items():
            before = self.first[place][1] if place in self.first else array  # else it is a tensor of this call
            if not bool(((array == before) | (array != array) & (before != before)).all()):
                asked = "different inplace randomness" if random else "inplace arithmetic with what differs from index to index"
                raise RuntimeValueError(f"{self.called}: {name} asks for {asked} on an unbatched tensor, which is the same for "
                                        "all indices. Go along a dimension of that tensor too, or compute out of place")
        self.latest.clear()


class Randomness:
    """A block in which random numbers are refused, the same for every index, or different, as ``vmap(randomness=)`` says."""

    def __init__(self, mode: str) -> None:
        self.mode = mode
        self.drew = False  # during the call for this index
        self.before: dict[Generator, Any] = {}  # the state that each generator was in when it was first drawn from

    def __enter__(self) -> Randomness:
        self.watch = watch_draws(self.on_draw)
        self.watch.__enter__()
        return self

    def __exit__(self, *exc: Any) -> None:
        self.watch.__exit__(*exc)

    def begin(self) -> None:
        """Begin the call for another index."""
        self.drew = False
        for generator, state in self.before.items():
            generator.set_state(state)

    def on_draw(self, generator: Generator) -> None:
        """What happens before `generator` is drawn from."""
        self.drew = True
        if self.mode == "error":
            raise RuntimeValueError("vmap: called random operation while in randomness error mode. Use randomness='same' or "
                                    "'different', or draw the numbers outside of vmap")
        if self.mode == "same" and generator not in self.before:
            self.before[generator] = generator.get_state()
