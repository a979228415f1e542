"""Help with common mistakes: warnings that say what to do, which can be silenced, or made errors.

``set_hints("warn")`` is the default, ``set_hints("off")`` silences them, ``set_hints("strict")`` raises instead.
"""

from __future__ import annotations

import warnings

from minigrad.errors import ArgumentError, MinigradError
from minigrad.recording.clock import user_frame

__all__ = ["HintError", "get_hints", "set_hints"]

MODES = ("off", "warn", "strict")


class HintError(MinigradError, RuntimeError):
    """What would have been a hint, under ``set_hints("strict")``."""


class State:
    mode = "warn"


def set_hints(mode: str) -> None:
    """Give hints at common mistakes (``"warn"``), raise ``HintError`` instead (``"strict"``), or be silent (``"off"``)."""
    if mode not in MODES:
        raise ArgumentError(f"set_hints: mode must be one of {MODES}, not {mode!r}")
    State.mode = mode


def get_hints() -> str:
    """What :func:`set_hints` was last called with."""
    return State.mode


def hint(message: str) -> None:
    """Warn with `message`, pointing at the user's line that is running; raise or be silent as :func:`set_hints` says.

    Raises ``HintError`` under ``set_hints("strict")``.
    """
    if State.mode == "strict":
        raise HintError(f"{message} (an error because of set_hints('strict'))")
    if State.mode == "warn":
        warn_user(message)


def warn_user(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn with `message`, pointing at the user's line that is running, however deep in the library the call is."""
    frame = user_frame()
    warnings.warn_explicit(message, category, frame.f_code.co_filename, frame.f_lineno,
                           registry=frame.f_globals.setdefault("__warningregistry__", {}))
