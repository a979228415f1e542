"""What packages call of the C++ of PyTorch, by its path ``torch._C``."""

from __future__ import annotations

__all__ = ["ScriptMethod", "_get_tracing_state", "_log_api_usage_once"]


class ScriptMethod:
    """The class that PyTorch gives to methods of scripted modules, which here keep their own."""


def _log_api_usage_once(event: str) -> None:
    """Nothing is counted here."""


def _get_tracing_state() -> None:
    """None: nothing is traced."""
