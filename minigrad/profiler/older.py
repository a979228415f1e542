"""The profiler under ``autograd.profiler``, as PyTorch had it first: one recording, and what was found in the object itself."""

from __future__ import annotations

from typing import Any

from minigrad import cuda
from minigrad.profiler import session
from minigrad.profiler.events import EventList, FunctionEventAvg
from minigrad.profiler.session import ProfilerActivity, record_function

__all__ = ["profile", "record_function"]


class profile:
    """Time what a block computes; see :class:`minigrad.profiler.profile`.

    Args:
        enabled: False times nothing.
        use_cuda, use_device: wait for the GPU after each operation, for ``True`` or ``"cuda"``.
        record_shapes, with_flops, profile_memory, with_stack, with_modules: as there.

    >>> import minigrad as mg
    >>> with mg.autograd.profiler.profile() as prof:
    ...     y = mg.ones(3) * 2
    >>> [event.name for event in prof.function_events]
    ['mul']
    """

    def __init__(self, enabled: bool = True, *, use_cuda: bool = False, use_device: str | None = None,
                 record_shapes: bool = False, with_flops: bool = False, profile_memory: bool = False, with_stack: bool = False,
                 with_modules: bool = False, use_kineto: bool = False, use_cpu: bool = True) -> None:
        self.enabled = enabled
        on_gpu = (use_cuda or use_device == "cuda") and cuda.is_available()
        self._session = session.profile(
            activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])], record_shapes=record_shapes,
            with_flops=with_flops, profile_memory=profile_memory, with_stack=with_stack, with_modules=with_modules)

    def __enter__(self) -> profile:
        if self.enabled:
            self._session.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self.enabled:
            self._session.stop()

    @property
    def function_events(self) -> EventList:
        """The events, in the order in which they began."""
        return self._session.events()

    @property
    def self_cpu_time_total(self) -> float:
        """The microseconds of all events."""
        return self.function_events.self_cpu_time_total

    def key_averages(self, group_by_input_shape: bool = False, group_by_stack_n: int = 0,
                     group_by_overload_name: bool = False) -> EventList:
        """Averages by name; see :meth:`minigrad.profiler.profile.key_averages`."""
        return self._session.key_averages(group_by_input_shape, group_by_stack_n)

    def total_average(self) -> FunctionEventAvg:
        """All events together."""
        return self.function_events.total_average()

    def table(self, sort_by: str | None = None, row_limit: int = 100, max_src_column_width: int = 75,
              max_name_column_width: int = 55, max_shapes_column_width: int = 80, header: str | None = None,
              top_level_events_only: bool = False) -> str:
        """The events as a table; see :meth:`minigrad.profiler.EventList.table`."""
        return self.function_events.table(sort_by, row_limit, max_src_column_width, max_name_column_width,
                                          max_shapes_column_width, header, top_level_events_only)

    def export_chrome_trace(self, path: Any) -> None:
        """Write the events in Chrome's format."""
        self._session.export_chrome_trace(path)

    def export_stacks(self, path: Any, metric: str = "self_cpu_time_total") -> None:
        """Write stacks for flame graphs; it needs ``with_stack=True``."""
        self._session.export_stacks(path, metric)

    def __str__(self) -> str:
        return self.table()
