"""Where the time goes: by operation, module and source line, forward and backward, under PyTorch's names.

    with mg.profiler.profile() as prof:
        loss = criterion(model(x), y)
        loss.backward()
    print(prof.key_averages().table(sort_by="self_cpu_time_total", row_limit=10))
    print(prof.by_module().table())
    print(prof.by_line().table())
    prof.export_chrome_trace("trace.json")        # for chrome://tracing or ui.perfetto.dev

Outside of such a block nothing is timed, and nothing costs anything.
"""

from __future__ import annotations

from minigrad.profiler.events import EventList, FunctionEvent, FunctionEventAvg
from minigrad.profiler.session import (
    ProfilerAction,
    ProfilerActivity,
    profile,
    record_function,
    schedule,
    supported_activities,
    tensorboard_trace_handler,
)

__all__ = ["EventList", "FunctionEvent", "FunctionEventAvg", "ProfilerAction", "ProfilerActivity", "profile", "record_function",
           "schedule", "supported_activities", "tensorboard_trace_handler"]
