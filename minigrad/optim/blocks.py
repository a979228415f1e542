"""How much a formula is given at once: large parameters come in parts, small ones together.

NumPy fuses nothing, so a formula runs over large arrays in blocks that stay in the processor's cache. And it takes some
microseconds, however few the elements: where what happens to an element depends on no other, the elements of many small
parameters are copied into one array, their gradients and states too, and back when they have moved. That takes a fraction of a
microsecond for each. Parameters and states stay where they are in memory: views of them, files, and programs that look into
``optimizer.state`` see nothing of it.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from operator import is_
from typing import Any, Callable, Iterator, Sequence, TypeVar

import numpy as np

from minigrad import _arrays
from minigrad._arrays.host import NONE, switch
from minigrad._tensor import Tensor
from minigrad.optim.state import NUMBERS, tensor_of

__all__ = ["BLOCK", "Bundle", "Parts", "blocks", "bundled", "elementwise", "same"]

F = TypeVar("F", bound=Callable[..., None])
BLOCK = 1 << 15  # elements at once; of five float32 arrays, 640 kB
SMALL = 1 << 13  # elements of a parameter that moves with others: of more, the copies take as long as they save


def blocks(*arrays: Any) -> Iterator[tuple[Any, ...]]:
    """Corresponding parts of arrays of one shape: all at once if they are small, else as much as fits the cache.

    Complex arrays come as their real and then their imaginary parts, which optimizers treat as independent numbers.
    """
    first = arrays[0]
    if first.dtype.kind == "c":
        yield from blocks(*[a.real for a in arrays])
        yield from blocks(*[a.imag for a in arrays])
    elif first.size <= BLOCK or first.__class__ is not np.ndarray or not all([a.flags.c_contiguous for a in arrays]):
        yield arrays
    else:
        flat = [a.reshape(-1) for a in arrays]
        for start in range(0, first.size, BLOCK):
            yield tuple([a[start:start + BLOCK] for a in flat])


def elementwise(update: F) -> F:
    """Decorator of an optimizer's ``update``: what it does to an element depends on no other, so that it may be given small
    parameters together, as one."""
    update.elementwise = True  # type: ignore[attr-defined]
    return update


def same(these: Sequence[Any], those: Sequence[Any]) -> bool:
    """Whether two sequences have the same objects in them."""
    return len(these) == len(those) and all(map(is_, these, those))


def arrays_of(states: list[dict[str, Any]]) -> list[Any]:
    """What `states` hold: the arrays of tensors, and what is no tensor."""
    return [getattr(value, "array", value) for state in states for value in state.values()]


class NotTogetherError(Exception):
    """Small arrays are taken for one where no kernel moves them."""


class Parts:
    """Small arrays in the place of one, for a kernel. Whatever else is done with them raises :class:`NotTogetherError`."""

    def __init__(self, bundle: Bundle, arrays: list[Any]) -> None:
        self.bundle, self.arrays = bundle, arrays

    def __getattr__(self, name: str) -> Any:
        raise NotTogetherError

    def refuse(self, *others: Any) -> Any:
        raise NotTogetherError

    __neg__ = __mul__ = __rmul__ = __add__ = __radd__ = __sub__ = __rsub__ = __truediv__ = __imul__ = __iadd__ = __isub__ = refuse


class Bundle:
    """Parameters that move as one: contiguous, of one dtype, and alike in what their states hold, with the same numbers there."""

    def __init__(self, params: list[Any], states: list[dict[str, Any]]) -> None:
        self.params = params
        self.arrays, self.held = [p.array for p in params], arrays_of(states)
        self.shapes = [a.shape for a in self.arrays]
        self.elements = [a.reshape(-1) for a in self.arrays]
        self.numbers = {key: [s[key].array for s in states] for key in states[0] if key in NUMBERS}
        self.columns = {key: [s[key].array.reshape(-1) for s in states] for key in states[0] if key not in NUMBERS}
        self.dtype, self.not_in_place = self.arrays[0].dtype, False
        self.addresses: Any = None  # for a kernel
        ends = list(itertools.accumulate([a.size for a in self.arrays]))
        self.places = [slice(start, end) for start, end in zip([0, *ends], ends)]

    def fits(self, states: list[dict[str, Any]]) -> bool:
        """Whether the parameters and their `states` still are what this was made of."""
        return (same(self.arrays, [p.array for p in self.params]) and same(self.held, arrays_of(states))
                and all([len({a.item() for a in arrays}) == 1 for arrays in self.numbers.values()]))

    def move(self, update: Callable[..., None], states: list[dict[str, Any]], group: dict[str, Any]) -> bool:
        """Move all by one call of `update`, or do nothing and return False where a gradient has another shape or dtype than its
        parameter."""
        grads = [p._grad.array for p in self.params]
        if self.moved_in_place(update, grads, group):
            return True
        together = np.concatenate(self.elements)
        grad = np.concatenate([g.ravel() for g in grads])
        if grad.dtype != together.dtype or [g.shape for g in grads] != self.shapes:
            return False
        state = {key: tensor_of(arrays[0].copy()) for key, arrays in self.numbers.items()}
        state |= {key: tensor_of(np.concatenate(arrays)) for key, arrays in self.columns.items()}
        update(tensor_of(together), grad, state, group)
        self.hand_out(together, self.elements)
        for key, t in state.items():
            if key in self.columns:
                self.hand_out(t.array, self.columns[key])
            elif key in self.numbers:
                self.set_number(key, t)
            else:
                for s, place, shape in zip(states, self.places, self.shapes):
                    s[key] = tensor_of((t.array if key in NUMBERS else t.array[place].reshape(shape)).copy())
        return True

    def moved_in_place(self, update: Callable[..., None], grads: list[Any], group: dict[str, Any]) -> bool:
        """Whether a kernel has moved all where they are."""
        if self.not_in_place or switch.loaded is NONE or not self.columns or not all([
                g.shape == shape and g.dtype is self.dtype and g.flags.c_contiguous for g, shape in zip(grads, self.shapes)]):
            return False
        state = {key: tensor_of(arrays[0].copy()) for key, arrays in self.numbers.items()}
        state |= {key: tensor_of(Parts(self, arrays)) for key, arrays in self.columns.items()}
        try:
            update(tensor_of(Parts(self, self.elements)), Parts(self, grads), state, group)
        except NotTogetherError:
            self.not_in_place = True
            return False
        for key in self.numbers:
            self.set_number(key, state[key])
        return True

    def left_to_kernel(self, rule: str, grads: Any, state: tuple[Any, ...], factors: tuple[float, ...]) -> bool:
        """Whether a kernel moves the parameters and their `state`, in parts, by its `rule`."""
        kernels = switch.loaded
        if not kernels.moves_together(rule, 1 + len(state), self.dtype):
            return False
        if self.addresses is None:
            moved = [self.elements, *[x.arrays for x in state]]
            self.addresses = np.array([[_arrays.address_of(a) for a in row] for row in zip(*moved)], np.int64)
            self.sizes = np.array([a.size for a in self.elements], np.int64)
        kernels.move_together(rule, self.elements[0], self.addresses, self.sizes, tuple(grads.arrays),
                              tuple([float(f) for f in factors]))
        return True

    def set_number(self, key: str, t: Any) -> None:
        """Let the states have a number of `t`."""
        number = t.array.item()
        for a in self.numbers[key]:
            a[...] = number

    def hand_out(self, whole: Any, arrays: list[Any]) -> None:
        """Write into each of `arrays` its part of `whole`."""
        for a, place in zip(arrays, self.places):
            a[...] = whole[place]


def bundled(params: list[Any], states: list[dict[str, Any]]) -> list[Bundle]:
    """Bundles of those `params` that may move with others, where three or more are alike."""
    alike: defaultdict[Any, list[int]] = defaultdict(list)
    for k, (p, state) in enumerate(zip(params, states)):
        if may_be_bundled(p.array, state):
            kind = p.array.dtype, *[(key, t.array.item() if key in NUMBERS else None) for key, t in state.items()]
            alike[kind].append(k)
    bundles = []
    for chosen in alike.values():
        for some in in_bundles(chosen, [p.array.size for p in params]):
            if len(some) >= 3 and share_nothing([p.array for k in some for p in (params[k], *states[k].values())]):
                bundles.append(Bundle([params[k] for k in some], [states[k] for k in some]))
    return bundles


def may_be_bundled(x: Any, state: dict[str, Any]) -> bool:
    """Whether the parameter `x` is small, and `state` holds nothing but numbers and arrays like it: contiguous, of its dtype."""
    kept = {key: t.array for key, t in state.items() if isinstance(t, Tensor)}
    return (x.dtype.kind in "fc" and x.size <= SMALL and len(kept) == len(state)
            and all([a.size == 1 for key, a in kept.items() if key in NUMBERS])
            and all([a.__class__ is np.ndarray and a.dtype == x.dtype and a.shape == x.shape
                     and a.flags.c_contiguous and a.flags.writeable
                     for a in (x, *[a for key, a in kept.items() if key not in NUMBERS])]))


def in_bundles(chosen: list[int], sizes: list[int]) -> Iterator[list[int]]:
    """`chosen` in stretches of at most ``BLOCK`` elements."""
    some: list[int] = []
    total = 0
    for k in chosen:
        if total + sizes[k] > BLOCK:
            yield some
            some, total = [], 0
        some.append(k)
        total += sizes[k]
    yield some


def share_nothing(arrays: list[Any]) -> bool:
    """Whether no two of the contiguous `arrays` have memory in common."""
    spans = sorted([(start := _arrays.address_of(a), start + a.nbytes) for a in arrays if a.size])
    return all([end <= start for (_, end), (start, _) in itertools.pairwise(spans)])
