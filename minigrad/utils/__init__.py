"""Loading data, and other helpers."""

from typing import Any as _Any

from minigrad import _paths


def __getattr__(name: str) -> _Any:
    return _paths.submodule(__name__, name)
