"""What the processes of a group exchange: objects of Python, pickled."""

from __future__ import annotations

import itertools
import pickle
from typing import Any

import numpy as np

from minigrad import _arrays
from minigrad.distributed.collectives import of_members, one_for_each, root
from minigrad.distributed.memory import space
from minigrad.distributed.process_group import ProcessGroup, member
from minigrad.distributed.work import exchange
from minigrad.errors import InvalidValueError

__all__ = ["all_gather_object", "broadcast_object_list", "gather_object", "scatter_object_list"]


def pickled(obj: Any, g: ProcessGroup) -> Any:
    """The pickle of `obj`, as bytes on the group's device."""
    return _arrays.to_device(np.frombuffer(pickle.dumps(obj), np.uint8), g.device)


def numbers(values: list[int], g: ProcessGroup) -> Any:
    """Integers on the group's device."""
    return _arrays.to_device(np.array(values, np.int64), g.device)


def unpickled(received: Any, sizes: list[int]) -> list[Any]:
    """The objects whose pickles, of `sizes` bytes, stand in `received` one after the other."""
    received, ends = _arrays.to_numpy(received), itertools.accumulate(sizes)
    return [pickle.loads(received[end - size:end]) for size, end in zip(sizes, ends)]


def sizes_of_all(g: ProcessGroup, words: str, mine: Any) -> list[int]:
    """How many bytes each process has."""
    sizes, size = numbers([0] * g.size(), g), numbers([mine.size], g)
    exchange(g, words, lambda: g.communicator.all_gather(sizes, [1] * g.size(), size))
    return sizes.tolist()  # type: ignore[no-any-return]


@of_members
def all_gather_object(object_list: list[Any], obj: Any, group: ProcessGroup | None = None) -> None:
    """Put the object of each process, which must be possible to pickle, into `object_list`, which has a place for each.

    Raises as :func:`all_reduce`.
    """
    g = member(group)
    places = one_for_each("all_gather_object: object_list", object_list, g)
    mine = pickled(obj, g)
    sizes = sizes_of_all(g, "all_gather_object", mine)
    received = space(sum(sizes), np.uint8, g)
    exchange(g, "all_gather_object", lambda: g.communicator.all_gather(received, sizes, mine))
    places[:] = unpickled(received, sizes)


@of_members
def gather_object(obj: Any, object_gather_list: list[Any] | None = None, dst: int | None = None,
                  group: ProcessGroup | None = None, group_dst: int | None = None) -> None:
    """Put the object of each process into `object_gather_list`, at process `dst`; as for :func:`gather`."""
    g = member(group)
    to = root("gather_object: dst", g, dst, group_dst, 0)
    here = g.rank() == to
    if here:
        one_for_each("gather_object: object_gather_list", object_gather_list, g)
    words, mine = f"gather_object(dst={g.ranks[to]})", pickled(obj, g)
    sizes = sizes_of_all(g, words, mine)
    received = space(sum(sizes) if here else 0, np.uint8, g)
    exchange(g, words, lambda: g.communicator.gather(received, sizes, mine, to))
    if here and object_gather_list is not None:
        object_gather_list[:] = unpickled(received, sizes)


@of_members
def broadcast_object_list(object_list: list[Any], src: int | None = None, group: ProcessGroup | None = None, device: Any = None,
                          group_src: int | None = None) -> None:
    """Put the objects of process `src` into the list of all, which has as many places; as for :func:`broadcast`."""
    g = member(group)
    source = root("broadcast_object_list: src", g, src, group_src, None if g.size() > 1 else 0)
    words = f"broadcast_object_list(src={g.ranks[source]}) of {len(object_list)} objects"
    here = g.rank() == source
    mine = pickled(list(object_list), g) if here else space(0, np.uint8, g)
    size = numbers([mine.size], g)
    exchange(g, words, lambda: g.communicator.broadcast(size, source))
    received = mine.copy() if here else space(int(size[0]), np.uint8, g)
    exchange(g, words, lambda: g.communicator.broadcast(received, source))
    if not here:
        object_list[:] = unpickled(received, [received.size])[0]


@of_members
def scatter_object_list(scatter_object_output_list: list[Any], scatter_object_input_list: list[Any] | None = None,
                        src: int | None = None, group: ProcessGroup | None = None, group_src: int | None = None) -> None:
    """Put object i of the list of process `src` into the first place of the output list of process i; as for :func:`scatter`."""
    g = member(group)
    source = root("scatter_object_list: src", g, src, group_src, 0)
    if not scatter_object_output_list:
        raise InvalidValueError("scatter_object_list: scatter_object_output_list must have at least one element")
    words, given = f"scatter_object_list(src={g.ranks[source]})", []
    if g.rank() == source:
        given = [pickled(obj, g) for obj in one_for_each("scatter_object_list: scatter_object_input_list",
                                                      scatter_object_input_list, g)]
    sizes, size = numbers([x.size for x in given], g), numbers([0], g)
    exchange(g, words, lambda: g.communicator.scatter(size, sizes, [1] * len(given), source))
    received = space(int(size[0]), np.uint8, g)
    sent = np.concatenate(given) if given else space(0, np.uint8, g)
    exchange(g, words, lambda: g.communicator.scatter(received, sent, sizes.tolist(), source))
    scatter_object_output_list[0] = unpickled(received, [received.size])[0]
