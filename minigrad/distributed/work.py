"""Exchanges under way: how processes see that they call the same, and how long they wait for each other."""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Any, Callable

from minigrad.distributed.communicator import Differ, Done
from minigrad.errors import DistBackendError

if TYPE_CHECKING:
    from minigrad.distributed.process_group import ProcessGroup

__all__ = ["Work", "agree", "exchange"]

LONGEST_PAUSE = 1e-3  # seconds between two looks at an exchange
LONG = 10.0  # seconds after which a process tells the others that it waits, so that they can say who does not


class Work:
    """What ``async_op=True`` returns: an exchange that goes on. What is exchanged must not be read or changed before
    :meth:`wait` has returned, or :meth:`is_completed` is True."""

    def __init__(self, group: ProcessGroup, words: str, steps: list[Done], finish: Callable[[], Any] | None = None,
                 with_one: bool = False) -> None:
        self.group, self.words, self.steps, self.finish, self.with_one = group, words, steps, finish, with_one

    def wait(self, timeout: datetime.timedelta | None = None) -> bool:
        """Wait until the exchange is done, and return True.

        Raises ``RuntimeError`` if that takes longer than `timeout`, by default the group's, if the processes do not call the
        same, or if MPI reports an error.
        """
        limit = (self.group.timeout if timeout is None else timeout).total_seconds()
        began, pause, told = time.monotonic(), 0.0, False
        while not self.is_completed():
            waited = time.monotonic() - began
            if waited > limit:
                raise self.is_late(limit)
            if waited > min(limit / 3, LONG) and not told:
                told = True
                self.group.communicator.tell_waiting()
            time.sleep(min(pause, LONGEST_PAUSE))
            pause = 1.2 * pause + 1e-6
        return True

    def is_completed(self) -> bool:
        """Whether the exchange is done. Raises ``RuntimeError`` as :meth:`wait` does."""
        try:
            while self.steps:
                if not self.steps[0]():
                    return False
                del self.steps[0]
        except Differ:
            self.steps.clear()
            raise self.differs() from None
        except DistBackendError as error:
            self.steps.clear()
            raise DistBackendError(f"{self.group.where()}{self.words}: {error}") from error
        if self.finish is not None:
            finish, self.finish = self.finish, None
            finish()
        return True

    def is_success(self) -> bool:
        """Whether the exchange is done."""
        return self.is_completed()

    def synchronize(self) -> None:
        """The same as :meth:`wait`."""
        self.wait()

    def is_late(self, limit: float) -> DistBackendError:
        """The error for an exchange that has taken longer than `limit` seconds: it names the processes that did not come."""
        if self.with_one:
            return DistBackendError(f"{self.group.where()}{self.words} has waited {limit:g} seconds, and the other process has "
                                    f"not called what belongs to it")
        here = self.group.communicator.who_waits()
        missing = [global_rank for k, global_rank in enumerate(self.group.ranks) if k not in here]
        return DistBackendError(f"{self.group.where()}{self.words} has waited {limit:g} seconds for the other processes, of "
                                f"which {missing} have not called it; they have ended or failed, or do something else. Where "
                                f"some take longer than others, pass a longer time to init_process_group(timeout=...)")

    def differs(self) -> DistBackendError:
        """The error for processes that call different functions, or with other tensors."""
        said = self.group.communicator.who_said_what(self.words)
        callers: dict[str, list[int]] = {}
        for rank, words in zip(self.group.ranks, said):
            callers.setdefault(words, []).append(rank)
        told = "; ".join(f"{'process' if len(ranks) == 1 else 'processes'} {', '.join(map(str, ranks))}: {words}"
                         for words, ranks in callers.items())
        return DistBackendError(f"{self.group.where()}the processes of a group must call the same, with tensors of the same "
                                f"shape and dtype, but they call: {told}")


def agree(group: ProcessGroup, words: str) -> None:
    """Wait until all processes of `group` say the same `words`. Raises ``RuntimeError`` if they say others, or do not come."""
    Work(group, words, [group.communicator.same(words)]).wait()


def exchange(group: ProcessGroup, words: str, begin: Callable[[], Done], finish: Callable[[], Any] | None = None,
             async_op: bool = False) -> Work | None:
    """Do what `begin` begins, then `finish`, once all processes of `group` say the same `words`.

    With `async_op` it is under way when this returns, so that a difference is found while it is. Otherwise nothing is begun
    before they agree, and where they do not, the group can be used as before.
    """
    if async_op:
        agreed = group.communicator.same(words)
        return Work(group, words, [agreed, begin()], finish)
    agree(group, words)
    Work(group, words, [begin()], finish).wait()
    return None
