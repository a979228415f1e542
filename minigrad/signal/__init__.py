"""Signal processing: :mod:`minigrad.signal.windows`."""

from minigrad.signal import windows

__all__ = ["windows"]
