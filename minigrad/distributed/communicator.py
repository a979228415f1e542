"""What a group exchanges arrays by: the interface, and that of a process alone.

Every method takes flat contiguous arrays on the communicator's ``device`` and begins an exchange; what it returns is asked
whether that is done. Where there are `counts`, they say how many elements of an array are each process's.
"""

from __future__ import annotations

import abc
from typing import Any, Callable, Protocol, Sequence

from minigrad import _arrays

__all__ = ["Alone", "Communicator", "Differ", "Queued"]

Done = Callable[[], bool]  # whether an exchange has ended; asking it drives the exchange on


class Differ(Exception):
    """Processes do not call the same."""


class Queued(abc.ABC):
    """An exchange in a queue of a GPU. Asked like any other it says whether the GPU has done it; but what this thread asks of the
    GPU need not wait for that, if it is queued behind it. ``words`` say what was called, and ``limit`` after how many seconds it
    will not be done any more."""

    words, limit = "an exchange", float("inf")

    @abc.abstractmethod
    def __call__(self) -> bool: ...

    @abc.abstractmethod
    def follow(self) -> None:
        """Let what this thread asks of the GPU from now on come after the exchange."""

    @abc.abstractmethod
    def give_up(self) -> None:
        """End all exchanges of its communicator, of which this one will not be done, because others take no part in it."""


class Communicator(Protocol):
    """The processes of a group, of which this is number `rank` of `size`. How several numbers become one is said by the name of
    a member of ``ReduceOp``, and a process by its number in the group."""

    rank: int
    size: int
    device: _arrays.Device

    def broadcast(self, array: Any, root: int) -> Done: ...
    def all_reduce(self, array: Any, op: str) -> Done: ...
    def reduce(self, array: Any, op: str, root: int) -> Done: ...
    def reduce_scatter(self, output: Any, input: Any, counts: Sequence[int], op: str) -> Done: ...
    def all_gather(self, output: Any, counts: Sequence[int], input: Any) -> Done: ...
    def gather(self, output: Any, counts: Sequence[int], input: Any, root: int) -> Done: ...
    def scatter(self, output: Any, input: Any, counts: Sequence[int], root: int) -> Done: ...
    def all_to_all(self, output: Any, output_counts: Sequence[int], input: Any, input_counts: Sequence[int]) -> Done: ...

    def send(self, array: Any, to: int, tag: int) -> Done: ...

    def receive(self, array: Any, source: int | None, tag: int) -> tuple[Done, Callable[[], int]]:
        """From process `source`, or with None from any. Also returns what says afterwards which has sent it."""

    def begin_sending(self) -> None:
        """Begin what :meth:`send` and :meth:`receive` have prepared. What follows them in the group does so too."""

    def settle(self) -> None:
        """Wait until the device has done what this thread has asked of it."""

    def same(self, words: str) -> Done:
        """Compare `words`, which say what this process calls, with those of the others. Asking raises :class:`Differ` where they
        are not the same."""

    def who_said_what(self, words: str) -> list[str]:
        """The `words` of every process, which all call it."""

    def tell_waiting(self) -> None:
        """Tell the others, as far as they listen, that this process waits in its latest exchange."""

    def who_waits(self) -> list[int] | None:
        """The processes that are known to have come as far as this one; None where that cannot be known."""

    def split(self, members: Sequence[int], is_member: bool) -> Communicator | None:
        """The communicator of the processes `members`, in that order, or None in others. All processes must call it."""

    def in_host_memory(self, backend: str) -> Communicator:
        """The communicator of the same processes for what is in host memory, if this one is not. Raises ``RuntimeError`` for the
        group of the name `backend` where there is none."""

    def twin(self) -> Communicator:
        """Another communicator of the same processes, whose exchanges have an order of their own. All must call it."""

    def free(self) -> None:
        """Give up what the library keeps for this. All processes must call it."""

    def end_job_on_error(self) -> Any:
        """Let an exception that nothing catches end the processes of the job, which would wait for this one. Returns what
        Python did before."""

    def end_job(self) -> None:
        """End all processes, this one too."""


class Alone:
    """The communicator of one process: what it sends is what it gets."""

    rank, size, device = 0, 1, _arrays.CPU

    def broadcast(self, array: Any, root: int) -> Done:
        return done

    def all_reduce(self, array: Any, op: str) -> Done:
        return done

    def reduce(self, array: Any, op: str, root: int) -> Done:
        return done

    def reduce_scatter(self, output: Any, input: Any, counts: Sequence[int], op: str) -> Done:
        return copied(output, input)

    def all_gather(self, output: Any, counts: Sequence[int], input: Any) -> Done:
        return copied(output, input)

    def gather(self, output: Any, counts: Sequence[int], input: Any, root: int) -> Done:
        return copied(output, input)

    def scatter(self, output: Any, input: Any, counts: Sequence[int], root: int) -> Done:
        return copied(output, input)

    def all_to_all(self, output: Any, output_counts: Sequence[int], input: Any, input_counts: Sequence[int]) -> Done:
        return copied(output, input)

    def send(self, array: Any, to: int, tag: int) -> Done:
        raise NotImplementedError("there is no other process")

    def receive(self, array: Any, source: int | None, tag: int) -> tuple[Done, Callable[[], int]]:
        raise NotImplementedError("there is no other process")

    def begin_sending(self) -> None:
        pass

    def settle(self) -> None:
        pass

    def same(self, words: str) -> Done:
        return done

    def who_said_what(self, words: str) -> list[str]:
        return [words]

    def tell_waiting(self) -> None:
        pass

    def who_waits(self) -> list[int] | None:
        return [0]

    def split(self, members: Sequence[int], is_member: bool) -> Communicator | None:
        return self if is_member else None

    def in_host_memory(self, backend: str) -> Communicator:
        return self

    def twin(self) -> Communicator:
        return self

    def free(self) -> None:
        pass

    def end_job_on_error(self) -> Any:
        return None

    def end_job(self) -> None:
        pass


def done() -> bool:
    return True


def copied(output: Any, input: Any) -> Done:
    output[...] = input
    return done
