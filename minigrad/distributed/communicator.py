"""What a group exchanges arrays by: the interface, and that of a process alone.

Every method takes flat contiguous NumPy arrays and begins an exchange; what it returns is asked whether that is done. Where there
are `counts`, they say how many elements of an array are each process's.
"""

from __future__ import annotations

from typing import Any, Callable, Protocol, Sequence

__all__ = ["Alone", "Communicator", "Differ"]

Done = Callable[[], bool]  # whether an exchange has ended; asking it drives the exchange on


class Differ(Exception):
    """Processes do not call the same."""


class Communicator(Protocol):
    """The processes of a group, of which this is number `rank` of `size`. How several numbers become one is said by the name of
    a member of ``ReduceOp``, and a process by its number in the group."""

    rank: int
    size: int

    def barrier(self) -> Done: ...
    def broadcast(self, array: Any, root: int) -> Done: ...
    def all_reduce(self, array: Any, op: str) -> Done: ...
    def reduce(self, array: Any, op: str, root: int) -> Done: ...
    def reduce_scatter(self, output: Any, input: Any, counts: Sequence[int], op: str) -> Done: ...
    def all_gather(self, output: Any, counts: Sequence[int], input: Any) -> Done: ...
    def gather(self, output: Any, counts: Sequence[int], input: Any, root: int) -> Done: ...
    def scatter(self, output: Any, input: Any, counts: Sequence[int], root: int) -> Done: ...
    def all_to_all(self, output: Any, output_counts: Sequence[int], input: Any, input_counts: Sequence[int]) -> Done: ...

    def same(self, words: str) -> Done:
        """Compare `words`, which say what this process calls, with those of the others. Asking raises :class:`Differ` where they
        are not the same."""

    def who_said_what(self, words: str) -> list[str]:
        """The `words` of every process. Only called after :meth:`same` has found that they differ."""

    def tell_waiting(self) -> None:
        """Tell the others, as far as they listen, that this process waits in its latest exchange."""

    def who_waits(self) -> list[int]:
        """The processes that are known to have come as far as this one."""


class Alone:
    """The communicator of one process: what it sends is what it gets."""

    rank, size = 0, 1

    def barrier(self) -> Done:
        return done

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

    def same(self, words: str) -> Done:
        return done

    def who_said_what(self, words: str) -> list[str]:
        return [words]

    def tell_waiting(self) -> None:
        pass

    def who_waits(self) -> list[int]:
        return [0]


def done() -> bool:
    return True


def copied(output: Any, input: Any) -> Done:
    output[...] = input
    return done
