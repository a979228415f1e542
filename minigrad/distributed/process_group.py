"""Groups of processes: that of all, once it was made, and others of some of them."""

from __future__ import annotations

import atexit
import datetime
import enum
import os
import sys
import time
from typing import Any, Iterable

from minigrad import _arrays
from minigrad.distributed import mpi
from minigrad.distributed.availability import by_nccl
from minigrad.distributed.communicator import Alone, Communicator
from minigrad.distributed.ending import say
from minigrad.distributed.work import END, Work, agree
from minigrad.errors import DistBackendError, InvalidValueError, StateError

__all__ = ["Backend", "GroupMember", "ProcessGroup", "ReduceOp", "default_pg_timeout", "destroy_process_group", "get_backend",
           "get_global_rank", "get_group_rank", "get_node_local_rank", "get_process_group_ranks", "get_rank", "get_world_size",
           "group", "init_process_group", "is_initialized", "new_group"]

default_pg_timeout = datetime.timedelta(minutes=30)  # how long processes wait for each other
LOCAL_RANKS = ("LOCAL_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "MV2_COMM_WORLD_LOCAL_RANK", "SLURM_LOCALID")


class Backend(str):
    """The name of a library that exchanges tensors, in small letters: NCCL, or MPI, which also stands for every other.

    Raises ``ValueError`` for what is no text.
    """

    UNDEFINED, GLOO, NCCL, UCC, MPI, XCCL = "undefined", "gloo", "nccl", "ucc", "mpi", "xccl"

    def __new__(cls, name: str) -> Backend:
        if not isinstance(name, str):
            raise InvalidValueError(f"Backend constructor parameter must be string-ish, not {type(name).__name__}")
        return super().__new__(cls, name.lower())


class ReduceOp:
    """How the numbers of several processes become one. ``AVG`` is of floating numbers, ``BAND``, ``BOR`` and ``BXOR`` are of
    integers and booleans; the sum of booleans is whether any of them is true, their product whether all are."""

    class RedOpType(enum.Enum):
        SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR, PREMUL_SUM = range(9)

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR, PREMUL_SUM = RedOpType


open_groups: list[ProcessGroup] = []  # those of several processes


class ProcessGroup:
    """Processes that work together, this among them. :func:`init_process_group` and :func:`new_group` make it.

    Args:
        ranks: their numbers among all processes, in the order of their numbers in the group.
    """

    def __init__(self, backend: Backend, communicator: Communicator, ranks: list[int], timeout: datetime.timedelta) -> None:
        self._backend, self.communicator, self.ranks, self.timeout = backend, communicator, ranks, timeout
        self._gradients: ProcessGroup | None = None
        self.hook_before: Any = None
        if communicator.size > 1:
            open_groups.append(self)

    def rank(self) -> int:
        """Which of its processes this is."""
        return self.communicator.rank

    def size(self) -> int:
        """How many processes it has."""
        return self.communicator.size

    @property
    def device(self) -> _arrays.Device:
        """Where it exchanges tensors: on this process's GPU, or in host memory, where tensors on a GPU are brought."""
        return self.communicator.device

    def on_device(self) -> Any:
        """A context in which that is the current device."""
        return _arrays.on_device(self.device)

    def name(self) -> str:
        """The name of its library."""
        return str(self._backend)

    def for_gradients(self) -> ProcessGroup:
        """A group of the same processes in which gradients are exchanged while the program exchanges something else in this one,
        so that each has an order of its own. All of them must call it."""
        if self._gradients is None:
            self._gradients = ProcessGroup(self._backend, self.communicator.twin(), self.ranks, self.timeout)
        return self._gradients

    def end(self) -> None:
        """Give up what its library keeps for it. All of its processes must call it; those that do something else are told."""
        if self._gradients is not None:
            self._gradients.end()
        agree(self, END)
        if self in open_groups:
            open_groups.remove(self)
        self.communicator.free()

    def where(self) -> str:
        """This process, as errors begin with it: nothing where it is alone."""
        return f"process {get_rank()} of {get_world_size()}: " if is_initialized() and get_world_size() > 1 else ""


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
    """Make the group of all processes: those that a launcher has started together, or else this one.

    ``mpiexec -n 4 python train.py``, or ``python -m minigrad run -n 4 train.py``, starts four. From then on an exception that
    nothing catches in one of them ends them all. With NCCL, ``torchrun --nproc-per-node 4 train.py`` does as well, or whatever
    else sets ``RANK``, ``WORLD_SIZE``, ``MASTER_ADDR`` and ``MASTER_PORT``.

    Args:
        backend: the name of a library. ``"nccl"`` exchanges tensors on GPUs, of which each process has one, which becomes its
            current one. Whatever else it is, MPI exchanges tensors: those in host memory, and those on a GPU by way of it.
        init_method: where NCCL's processes meet that MPI has not started: ``"tcp://host:port"`` of process 0, or None for the
            environment's.
        timeout: how long a process waits for the others in one exchange before it raises ``RuntimeError``: 30 minutes.
        world_size: how many processes there are, which must be true. -1: as many as there are.
        rank: which of them this is. -1: the one that it is.
        device_id: the GPU of this process, for NCCL. None: the current one, unless that is the first; then the one with the
            number ``LOCAL_RANK``.
        store, group_name, pg_options: how PyTorch's processes find each other: accepted, without effect.

    Raises:
        ValueError: if there is a group already, or `rank` is not below `world_size`.
        RuntimeError: if `world_size` and `rank`, or else ``WORLD_SIZE`` and ``RANK`` in the environment, are not those that
            MPI has given to this process; for NCCL, if there is no GPU, CuPy or NCCL is not installed, or two processes have
            one GPU.
        ImportError: if MPI's launcher has started this process, and mpi4py, or a library of MPI, is not there.
    """
    global _world
    if _world is not None:
        raise InvalidValueError("init_process_group: trying to initialize the default process group twice!")
    size = int(os.environ.get("WORLD_SIZE", -1)) if world_size == -1 else world_size
    number = int(os.environ.get("RANK", -1)) if rank == -1 else rank
    if size != -1 and number != -1 and not 0 <= number < size:
        raise InvalidValueError(f"init_process_group: Invalid rank {number}, rank should be in the interval [0, {size - 1}]")
    named, limit = Backend(Backend.MPI if backend is None else backend), default_pg_timeout if timeout is None else timeout
    communicator: Communicator
    if mpi.is_launched():
        communicator = mpi.world()
    elif named == Backend.NCCL and size > 1 and number != -1:
        communicator = by_nccl().meet(number, size, init_method, local_gpu(device_id))
    else:
        communicator = Alone()
    if size not in (-1, communicator.size) or number not in (-1, communicator.rank):
        found = f"process {communicator.rank} of {communicator.size}" if mpi.is_launched() else "alone"
        wanted = f"number {max(number, 0)} of {size if size > 0 else 'several'} processes"
        raise StateError(f"init_process_group: this is to be {wanted}, but by MPI it is {found}. Start processes by mpiexec -n "
                         f"{max(size, 1)} python train.py, or python -m minigrad run -n {max(size, 1)} train.py, with the "
                         f"mpiexec of the library that mpi4py uses. To run one process alone, pass world_size=1, rank=0")
    if named == Backend.NCCL and isinstance(communicator, mpi.MpiCommunicator) and communicator.size > 1:
        communicator = by_nccl().beside(communicator, local_gpu(device_id))
    _world = ProcessGroup(named, communicator, list(range(communicator.size)), limit)
    if communicator.size > 1:
        _world.hook_before = communicator.end_job_on_error()
        atexit.unregister(leave)
        atexit.register(leave, os.getpid())


def local_gpu(device_id: Any) -> _arrays.Device:
    """The GPU of this process, by `device_id` or else by what its thread and its environment say."""
    if device_id is not None:
        return _arrays.as_device(device_id)
    found: _arrays.Device = by_nccl().own_gpu(get_node_local_rank(fallback_rank=0))
    return found


def destroy_process_group(group: ProcessGroup | None = None) -> None:
    """End the group of all processes, or another; each of its processes calls it. Raises ``ValueError`` if there is none, and
    ``RuntimeError`` if others exchange something instead, as where they have more data."""
    global _world
    ended = member(group)
    ended.end()
    if ended is _world:
        _world = None
        if ended.hook_before is not None:
            sys.excepthook = ended.hook_before


def leave(process: int) -> None:
    """At the end of the program of this `process`, and not of one that it has forked: end its groups together with the others. If
    they still exchange something they are told, and the job ends, instead of waiting for a process that does not come."""
    if os.getpid() == process:
        ends = [Work(g, END, [g.communicator.same(END)]) for g in open_groups]
        last = time.monotonic() + max([work.group.timeout.total_seconds() for work in ends], default=0)
        while ends and time.monotonic() < last:
            try:
                ends = [work for work in ends if not work.is_completed()]
            except DistBackendError as error:
                say(str(error))
                ends[0].group.communicator.end_job()
            time.sleep(1e-3)


def is_initialized() -> bool:
    """Whether this process belongs to a group: whether :func:`init_process_group` was called."""
    return _world is not None


def member(group: ProcessGroup | None) -> ProcessGroup:
    """`group`, or that of all processes. Raises ``ValueError`` if there is none, or if this process is not in it."""
    if isinstance(group, ProcessGroup):
        return group
    if group is not None:
        raise InvalidValueError("this process does not belong to the given group" if is_no_member(group) else
                                f"a process group must be what new_group returned, not {type(group).__name__}")
    if _world is None:
        raise InvalidValueError("Default process group has not been initialized, please make sure to call init_process_group.")
    return _world


def is_no_member(group: Any) -> bool:
    """Whether `group` is what :func:`new_group` gives to processes that it leaves out."""
    return isinstance(group, int) and group == GroupMember.NON_GROUP_MEMBER


def new_group(ranks: Iterable[int] | None = None, timeout: datetime.timedelta | None = None, backend: str | None = None,
              pg_options: Any = None, use_local_synchronization: bool = False, group_desc: str | None = None,
              device_id: Any = None, sort_ranks: bool = True) -> ProcessGroup:
    """A group of the processes with the numbers `ranks`, by default all. All processes call it, also those that are not in it,
    which get ``GroupMember.NON_GROUP_MEMBER``.

    Args:
        timeout: as for :func:`init_process_group`, whose is the default.
        sort_ranks: number its processes in the order of their numbers among all, instead of that of `ranks`.
        backend: what exchanges its tensors; None: as in the group of all. Beside NCCL that is MPI where MPI has started the
            processes, so that one group can be for tensors on GPUs and another for those in host memory.
        device_id: the GPU of this process, where the group of all is not NCCL's.
        pg_options, use_local_synchronization, group_desc: accepted, without effect.

    Raises ``ValueError`` for numbers of processes that are not there, or are there twice; ``RuntimeError`` for a `backend` that
    cannot be had.
    """
    world = member(None)
    chosen = list(range(world.size())) if ranks is None else list(ranks)
    if sort_ranks:
        chosen.sort()
    if len(set(chosen)) < len(chosen) or not all(0 <= r < world.size() for r in chosen):
        raise InvalidValueError(f"new_group: the world has {world.size()} processes, numbered from 0, and each can be in a group "
                                f"once; ranks are {chosen}")
    named, limit = world._backend if backend is None else Backend(backend), world.timeout if timeout is None else timeout
    agree(world, f"new_group({chosen}, backend={str(named)!r})")
    communicator = world.communicator if named == Backend.NCCL else world.communicator.in_host_memory(named)
    part = communicator.split(chosen, world.rank() in chosen)
    if part is None:
        return GroupMember.NON_GROUP_MEMBER  # type: ignore[return-value]
    if named == Backend.NCCL and isinstance(part, mpi.MpiCommunicator) and part.size > 1:
        part = by_nccl().beside(part, local_gpu(device_id))
    return ProcessGroup(named, part, chosen, limit)


def get_rank(group: ProcessGroup | None = None) -> int:
    """Which process of the group this is; -1 if it is not in it. Raises ``ValueError`` if there is no group."""
    return -1 if is_no_member(group) else member(group).rank()


def get_world_size(group: ProcessGroup | None = None) -> int:
    """How many processes the group has; -1 if this one is not in it. Raises ``ValueError`` if there is no group."""
    return -1 if is_no_member(group) else member(group).size()


def get_backend(group: ProcessGroup | None = None) -> Backend:
    """The name of the library that the group is to use. Raises ``ValueError`` if there is no group."""
    return member(group)._backend


def get_process_group_ranks(group: ProcessGroup | None) -> list[int]:
    """The numbers that the processes of `group` have among all."""
    return list(member(group).ranks)


def get_global_rank(group: ProcessGroup, group_rank: int) -> int:
    """The number among all of process `group_rank` of `group`. Raises ``ValueError`` if there is none."""
    ranks = member(group).ranks
    if not 0 <= group_rank < len(ranks):
        raise InvalidValueError(f"get_global_rank: group_rank must be the number of a process of the group, which has "
                                f"{len(ranks)}, not {group_rank}")
    return ranks[group_rank]


def get_group_rank(group: ProcessGroup, global_rank: int) -> int:
    """The number in `group` of process `global_rank` of all. Raises ``ValueError`` if it is not in it."""
    ranks = member(group).ranks
    if global_rank not in ranks:
        raise InvalidValueError(f"get_group_rank: global_rank must be the number of a process of the group, which are {ranks}, "
                                f"not {global_rank}")
    return ranks.index(global_rank)


def get_node_local_rank(fallback_rank: int | None = None) -> int:
    """Which process of this machine this is, by the environment (``LOCAL_RANK``, or what MPI's launchers and Slurm call it), or
    else `fallback_rank`.

    Raises ``RuntimeError`` where neither says it.
    """
    number = next((os.environ[name] for name in LOCAL_RANKS if name in os.environ), fallback_rank)
    if number is None:
        raise StateError("LOCAL_RANK is not in the environment. Consider passing fallback_rank to allow `get_node_local_rank` to "
                         "work, assuming you are not running in a multi-device context and want the code to run locally instead.")
    return int(number)
