"""Events as a table of text."""

from __future__ import annotations

from typing import Any, Sequence

from minigrad.errors import InvalidValueError

UNITS = {"s": 1e6, "ms": 1e3, "us": 1.0}  # in microseconds


def format_time(microseconds: float, unit: str | None = None) -> str:
    """A time in words, in a fitting unit or in `unit`. Raises ``ValueError`` for an unknown one."""
    if unit is None:
        unit = next((u for u, size in UNITS.items() if abs(microseconds) >= size), "us")
    elif unit not in UNITS:
        raise InvalidValueError(f"table: time_unit must be one of {', '.join(map(repr, UNITS))}, but got {unit!r}")
    return f"{microseconds / UNITS[unit]:.3f}{unit}"


def format_memory(amount: int) -> str:
    """Bytes in words."""
    for unit, size in (("GB", 2 ** 30), ("MB", 2 ** 20), ("KB", 2 ** 10)):
        if abs(amount) >= size:
            return f"{amount / size:.2f} {unit}"
    return f"{amount} B"


def format_share(part: float, whole: float) -> str:
    """A share in percent."""
    return f"{100 * part / whole:.2f}%" if whole else "--"


def shorten(text: str, width: int) -> str:
    """`text`, without its end where it is longer than `width`."""
    return text if len(text) <= width else text[:max(width - 3, 0)] + "..."


def shorten_path(text: str, width: int) -> str:
    """`text`, without its beginning where it is longer than `width`."""
    return text if len(text) <= width else "..." + text[len(text) - max(width - 3, 0):]


def format_table(events: Sequence[Any], columns: Sequence[str], total: float, name_width: int, shapes_width: int,
                 source_width: int, header: str | None, unit: str | None) -> str:
    """The rows of `events`, with the columns that are asked for beside those that all tables have; `total` is the time that
    shares are of, in microseconds."""
    headings = ["Name", "Self CPU %", "Self CPU", "CPU total %", "CPU total", "CPU time avg"]
    phases, memory, shapes, stack, flops = [c in columns for c in ("phases", "memory", "shapes", "stack", "flops")]
    headings += ["Forward", "Backward"] * phases + ["CPU Mem", "Self CPU Mem"] * memory + ["# of Calls"]
    headings += ["Input Shapes"] * shapes + ["Source Location"] * stack + ["Total FLOPs"] * flops
    rows = []
    for e in events:
        row = [shorten(e.key, name_width), format_share(e.self_cpu_time_total, total), format_time(e.self_cpu_time_total, unit),
               format_share(e.cpu_time_total, total), format_time(e.cpu_time_total, unit),
               format_time(e.cpu_time_total / e.count if e.count else 0.0, unit)]
        if phases:
            row += [format_time(e.forward_time_total, unit), format_time(e.backward_time_total, unit)]
        if memory:
            row += [format_memory(e.cpu_memory_usage), format_memory(e.self_cpu_memory_usage)]
        row.append(str(e.count))
        if shapes:
            row.append(shorten(str(e.input_shapes), shapes_width))
        if stack:
            row.append(shorten_path(e.stack[0] if e.stack else "", source_width))
        if flops:
            row.append(f"{e.flops:,}" if e.flops else "--")
        rows.append(row)
    widths = [max([len(row[k]) for row in [headings, *rows]]) for k in range(len(headings))]
    rule = "  ".join("-" * width for width in widths)
    first, *others = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths)) for row in [headings, *rows]]
    lines = [rule, first, rule, *others, rule, f"Self CPU time total: {format_time(total, unit)}"]
    return "\n".join(([header] if header else []) + lines) + "\n"
