"""A process that fails ends the others, which would wait for it."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any, Callable

__all__ = ["end_job_on_error", "say"]


def say(words: str) -> None:
    """Write on standard error, at once."""
    print(f"minigrad.distributed: {words}", file=sys.stderr, flush=True)


def end_job_on_error(rank: int, size: int, end_job: Callable[[], None]) -> Any:
    """Let an exception that nothing catches in this process call `end_job`. Returns what Python did before."""
    before = sys.excepthook

    def end(kind: type[BaseException], error: BaseException, where: TracebackType | None) -> None:
        before(kind, error, where)
        say(f"process {rank} of {size} has ended by {kind.__name__}; it ends the others")
        end_job()
    sys.excepthook = end
    return before
