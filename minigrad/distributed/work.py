"""Exchanges under way: how processes see that they call the same, and how long they wait for each other."""

from __future__ import annotations

import datetime
import time
from typing import TYPE_CHECKING, Any, Callable, TypeVar

from minigrad.distributed.communicator import Differ, Done, Queued
from minigrad.errors import DistBackendError

if TYPE_CHECKING:
    from minigrad.distributed.process_group import ProcessGroup

__all__ = ["END", "Work", "agree", "begun", "exchange"]

T = TypeVar("T")

LONGEST_PAUSE = 1e-3  # seconds between two looks at an exchange
END = "destroy_process_group, or the end of its program"
LONG = 10.0  # seconds after which a process tells the others that it waits, so that they can say who does not


class Work:
    """What ``async_op=True`` returns: an exchange that goes on. What is exchanged must not be read or changed before
    :meth:`wait` has returned, or :meth:`is_completed` is True."""

    def __init__(self, group: ProcessGroup, words: str, steps: list[Done], finish: Callable[[], Any] | None = None,
                 with_one: bool = False) -> None:
        self.group, self.words, self.steps, self.finish, self.with_one = group, words, steps, finish, with_one
        for step in steps:
            if isinstance(step, Queued):
                step.words, step.limit = words, group.timeout.total_seconds()

    def wait(self, timeout: datetime.timedelta | None = None) -> bool:
        """Wait until the exchange is done, and return True. One on a GPU is waited for by what this thread asks of the GPU from
        now on, not by the thread itself, unless there is a `timeout`.

        Raises ``RuntimeError`` if that takes longer than `timeout`, by default the group's, if the processes do not call the
        same, or if MPI or NCCL reports an error.
        """
        limit = (self.group.timeout if timeout is None else timeout).total_seconds()
        began, pause, told = time.monotonic(), 0.0, False
        while not self.go_on(follow=timeout is None):
            waited = time.monotonic() - began
            if waited > limit:
                error = self.is_late(limit)
                self.give_up()
                raise error
            if waited > min(limit / 3, LONG) and not told:
                told = True
                self.group.communicator.tell_waiting()
            time.sleep(min(pause, LONGEST_PAUSE))
            pause = 1.2 * pause + 1e-6
        return True

    def is_completed(self) -> bool:
        """Whether the exchange is done. Raises ``RuntimeError`` as :meth:`wait` does."""
        return self.go_on(follow=False)

    def go_on(self, follow: bool) -> bool:
        """Take the steps that can be taken; whether these were all. With `follow` one that is queued on a GPU counts as taken,
        and what this thread asks of the GPU from now on comes after it."""
        try:
            while self.steps:
                if follow and isinstance(self.steps[0], Queued):
                    self.steps[0].follow()
                elif not self.steps[0]():
                    return False
                del self.steps[0]
        except Differ:
            error: DistBackendError = self.differs()
            self.give_up()
            raise error from None
        except DistBackendError as cause:
            self.steps.clear()
            raise failed(self.group, self.words, cause) from cause
        if self.finish is not None:
            finish, self.finish = self.finish, None
            with self.group.on_device():
                finish()
        return True

    def give_up(self) -> None:
        """Forget the exchange, which the others do not take part in."""
        for step in self.steps:
            if isinstance(step, Queued):
                step.give_up()
        self.steps.clear()

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
        missing = "some" if here is None else [rank for k, rank in enumerate(self.group.ranks) if k not in here]
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
        uneven = ". Give all the same number of batches, as DistributedSampler does" if END in callers else ""
        return DistBackendError(f"{self.group.where()}the processes of a group must call the same, with tensors of the same "
                                f"shape and dtype, but they call: {told}{uneven}")


def failed(group: ProcessGroup, words: str, cause: DistBackendError) -> DistBackendError:
    """The error for what a library reports."""
    return DistBackendError(f"{group.where()}{words}: {cause}")


def begun(group: ProcessGroup, words: str, begin: Callable[[], T]) -> T:
    """What `begin`, the call that `words` say, returns. Raises ``RuntimeError`` with the words where a library fails."""
    try:
        return begin()
    except DistBackendError as cause:
        raise failed(group, words, cause) from cause


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
        return Work(group, words, [agreed, begun(group, words, begin)], finish)
    agree(group, words)
    Work(group, words, [begun(group, words, begin)], finish).wait()
    return None
