"""Events as files for other tools: Chrome's trace format, and stacks for flame graphs."""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from typing import Any, Iterable

CATEGORIES = {"operation": "cpu_op", "backward": "cpu_op", "pass": "cpu_op", "module": "python_function",
              "block": "user_annotation"}


def write_chrome_trace(events: Iterable[Any], path: Any) -> None:
    """Write `events` in the trace event format of Chrome; compressed where `path` ends in ``.gz``.

    https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
    """
    process, found = os.getpid(), list(events)
    entries: list[dict[str, Any]] = [{"ph": "M", "name": "process_name", "pid": process, "tid": 0, "args": {"name": "minigrad"}}]
    threads = {thread: number for number, thread in enumerate(dict.fromkeys(e.thread for e in found))}
    for number in threads.values():
        entries.append({"ph": "M", "name": "thread_name", "pid": process, "tid": number, "args": {"name": f"thread {number}"}})
    forward = {}
    for e in found:
        when = e.time_range
        entry = {"ph": "X", "cat": CATEGORIES[e.kind], "name": e.name, "pid": process, "tid": threads[e.thread], "ts": when.start,
                 "dur": when.elapsed_us(), "args": arguments_of(e)}
        entries.append(entry)
        if e.kind == "operation" and e.sequence_nr >= 0:
            forward[e.sequence_nr] = entry
        elif e.kind == "backward" and (begun := forward.get(e.sequence_nr)) is not None:  # an arrow from one to the other
            flow = {"cat": "fwdbwd", "name": "fwdbwd", "id": e.sequence_nr, "pid": process}
            entries += [{**flow, "ph": "s", "tid": begun["tid"], "ts": begun["ts"]},
                        {**flow, "ph": "f", "bp": "e", "tid": entry["tid"], "ts": entry["ts"]}]
    trace = {"schemaVersion": 1, "displayTimeUnit": "ms", "traceEvents": entries}
    open_file: Any = gzip.open if os.fspath(path).endswith(".gz") else open
    with open_file(path, "wt", encoding="utf-8") as file:
        json.dump(trace, file)


def arguments_of(event: Any) -> dict[str, Any]:
    """What a click on an event shows."""
    found = {"Module": event.module, "Line": event.line if event.place[0] is not None else "",
             "Sequence number": event.sequence_nr if event.sequence_nr >= 0 else "", "Input Dims": event.input_shapes,
             "Bytes": event.cpu_memory_usage, "FLOPs": event.flops}
    return {name: value for name, value in found.items() if value}


def write_stacks(events: Iterable[Any], path: Any) -> None:
    """Write, for each stack of calls, a line of its frames, the outermost first, and the microseconds that were spent there."""
    spent: Counter[str] = Counter()
    for e in events:
        names = [*reversed(e.stack), *[a.name for a in reversed(list(e.ancestors()))]]
        spent[";".join(name.replace(";", ",") for name in names)] += round(e.self_cpu_time_total)
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(f"{stack} {microseconds}\n" for stack, microseconds in spent.items() if microseconds > 0)
