"""The search for the operation that makes the first NaN: ``with detect_anomaly():``."""

from __future__ import annotations

from typing import Any

from minigrad.autograd.observe import Observer, ObserverBlock
from minigrad.recording.graph import observer

__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]


class detect_anomaly(ObserverBlock):
    """Inside the block, the first operation whose forward makes a NaN or infinity, or whose derivative makes a NaN, raises.

    The error names the source line that called it. Every result is examined, so it is slow: use it to find a fault, not to train.
    With ``check_nan=False`` nothing is examined.
    """

    def __init__(self, check_nan: bool = True) -> None:
        super().__init__()
        self.mode, self.check_nan = True, check_nan

    def new_observer(self, before: Observer | None) -> Observer:
        return (before or Observer()).replace(anomaly=self.mode, check_nan=self.check_nan)


class set_detect_anomaly(detect_anomaly):
    """:class:`detect_anomaly` by a flag: as a call until further notice, or as a block."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        super().__init__(check_nan)
        self.mode = mode
        super().__enter__()

    def __enter__(self) -> Any:
        return self


def is_anomaly_enabled() -> bool:
    """Whether this is inside a :class:`detect_anomaly` block."""
    watching = observer.get()
    return watching is not None and watching.anomaly


def is_anomaly_check_nan_enabled() -> bool:
    """Whether a :class:`detect_anomaly` block that this is inside of looks for NaNs."""
    watching = observer.get()
    return watching is None or watching.check_nan
