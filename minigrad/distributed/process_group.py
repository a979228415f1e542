"""The group that this process belongs to, once it was made: its only member is number 0."""

from __future__ import annotations

import datetime
import enum
import os
from typing import Any, Iterable

from minigrad.errors import InvalidValueError, StateError

__all__ = ["Backend", "GroupMember", "ProcessGroup", "ReduceOp", "default_pg_timeout", "destroy_process_group", "get_backend",
           "get_global_rank", "get_group_rank", "get_node_local_rank", "get_process_group_ranks", "get_rank", "get_world_size",
           "group", "init_process_group", "is_initialized", "new_group"]

default_pg_timeout = datetime.timedelta(minutes=30)  # how long PyTorch's processes wait for each other


class Backend(str):
    """The name of a library that exchanges tensors, in small letters: a group of one process is the same with each.

    Raises ``ValueError`` for what is no text.
    """

    UNDEFINED, GLOO, NCCL, UCC, MPI, XCCL = "undefined", "gloo", "nccl", "ucc", "mpi", "xccl"

    def __new__(cls, name: str) -> Backend:
        if not isinstance(name, str):
            raise InvalidValueError(f"Backend constructor parameter must be string-ish, not {type(name).__name__}")
        return super().__new__(cls, name.lower())


class ReduceOp:
    """How the numbers of several processes become one. Of those of one process, each leaves them as they are."""

    class RedOpType(enum.Enum):
        SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR, PREMUL_SUM = range(9)

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR, PREMUL_SUM = RedOpType


class ProcessGroup:
    """Processes that work together: this one. :func:`init_process_group` and :func:`new_group` make it."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def rank(self) -> int:
        """Which of its processes this is: number 0."""
        return 0

    def size(self) -> int:
        """How many processes it has: 1."""
        return 1

    def name(self) -> str:
        """The name of its library."""
        return str(self._backend)


class GroupMember(type):
    """What ``group`` is of: its ``WORLD`` is the group of all processes, or None."""

    NON_GROUP_MEMBER = -100  # what new_group gives to processes that it leaves out

    @property
    def WORLD(cls) -> ProcessGroup | None:
        return _world


class group(metaclass=GroupMember):
    """``group.WORLD`` is the group of all processes; None before :func:`init_process_group`."""


_world: ProcessGroup | None = None


def init_process_group(backend: str | None = None, init_method: str | None = None, timeout: datetime.timedelta | None = None,
                       world_size: int = -1, rank: int = -1, store: Any = None, group_name: str = "", pg_options: Any = None,
                       device_id: Any = None) -> None:
    """Make the group of all processes, which has one: this.

    Args:
        backend: the name of a library, which :func:`get_backend` gives back.
        world_size: how many processes there are. -1: what the environment says (``WORLD_SIZE``), or 1.
        rank: which of them this is. -1: what the environment says (``RANK``), or 0.
        init_method, timeout, store, group_name, pg_options, device_id: how processes find each other: accepted, without effect.

    Raises:
        ValueError: if there is a group already, or `rank` is not below `world_size`.
        RuntimeError: if there is to be more than one process.
    """
    global _world
    if _world is not None:
        raise InvalidValueError("init_process_group: trying to initialize the default process group twice!")
    size = int(os.environ.get("WORLD_SIZE", 1)) if world_size == -1 else world_size
    number = int(os.environ.get("RANK", 0)) if rank == -1 else rank
    if not 0 <= number < size:
        raise InvalidValueError(f"init_process_group: Invalid rank {number}, rank should be in the interval [0, {size - 1}]")
    if size > 1:
        raise StateError(f"init_process_group: processes cannot work together here, and there are to be {size}; run the program "
                         f"as one process: world_size=1")
    _world = ProcessGroup(Backend(Backend.GLOO if backend is None else backend))


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """End the group of all processes, or another. Raises ``ValueError`` if there is none."""
    global _world
    if member(group) is _world:
        _world = None


def is_initialized() -> bool:
    """Whether this process belongs to a group: whether :func:`init_process_group` was called."""
    return _world is not None


def member(group: ProcessGroup | None) -> ProcessGroup:
    """`group`, or that of all processes. Raises ``ValueError`` if there is none."""
    if group is not None:
        return group
    if _world is None:
        raise InvalidValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return _world


def check_number(name: str, group: ProcessGroup | None, number: int | None) -> None:
    """Raise ``ValueError`` unless `number`, the argument of that name, is a process of `group`: 0."""
    member(group)
    if number != 0:
        raise InvalidValueError(f"{name} must be the number of a process of the group, whose only one is 0, not {number}")


def new_group(ranks: Iterable[int] | None = None, timeout: datetime.timedelta | None = None, backend: str | None = None,
              pg_options: Any = None, use_local_synchronization: bool = False, group_desc: str | None = None,
              device_id: Any = None, sort_ranks: bool = True) -> ProcessGroup:
    """A group of some processes: `ranks`, their numbers, can only be 0. Raises ``ValueError`` where there are others."""
    world = member(None)
    if ranks is not None:
        numbers = list(ranks)
        if numbers != [0]:
            raise InvalidValueError(f"new_group: the world has one process, number 0; ranks are {numbers}")
    return ProcessGroup(world._backend if backend is None else Backend(backend))


def get_rank(group: ProcessGroup | None = None) -> int:
    """Which process of the group this is: 0. Raises ``ValueError`` if there is no group."""
    return member(group).rank()


def get_world_size(group: ProcessGroup | None = None) -> int:
    """How many processes the group has: 1. Raises ``ValueError`` if there is no group."""
    return member(group).size()


def get_backend(group: ProcessGroup | None = None) -> Backend:
    """The name of the library that the group was to use. Raises ``ValueError`` if there is no group."""
    return member(group)._backend


def get_process_group_ranks(group: ProcessGroup | None) -> list[int]:
    """The numbers that the processes of `group` have among all: ``[0]``."""
    return list(range(member(group).size()))


def get_global_rank(group: ProcessGroup, group_rank: int) -> int:
    """The number among all of process `group_rank` of `group`: 0. Raises ``ValueError`` for others."""
    check_number("get_global_rank: group_rank", group, group_rank)
    return 0


def get_group_rank(group: ProcessGroup, global_rank: int) -> int:
    """The number in `group` of process `global_rank` of all: 0. Raises ``ValueError`` for others."""
    check_number("get_group_rank: global_rank", group, global_rank)
    return 0


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """Which process of this machine this is, by the environment (``LOCAL_RANK``), or else `fallback_rank`.

    Raises ``RuntimeError`` where neither says it.
    """
    number = os.environ.get("LOCAL_RANK", fallback_rank)
    if number is None:
        raise StateError("LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow `get_node_local_rank` to "
                         "work, assuming you are not running in a multi-device context and want the code to run locally instead.")
    return int(number)
