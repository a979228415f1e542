"""``minigrad.cpu.amp``: the older names, for which the kind of device is settled."""

from __future__ import annotations

from typing import Any

from minigrad import amp

__all__ = ["GradScaler", "autocast"]


class autocast(amp.autocast):
    """:class:`minigrad.amp.autocast` for ``"cpu"``."""

    def __init__(self, enabled: bool = True, dtype: Any = None, cache_enabled: bool = True) -> None:
        super().__init__("cpu", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(amp.GradScaler):
    """:class:`minigrad.amp.GradScaler` for ``"cpu"``."""

    def __init__(self, init_scale: float = 2.0**16, growth_factor: float = 2.0, backoff_factor: float = 0.5,
                 growth_interval: int = 2000, enabled: bool = True) -> None:
        super().__init__("cpu", init_scale, growth_factor, backoff_factor, growth_interval, enabled)
