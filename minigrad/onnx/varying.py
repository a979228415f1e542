"""What changes from one run of a model to the next.

A trace holds numbers: the sizes of tensors in the settings of operations, and in tensors made from them. Where axes are dynamic,
the model is traced with several sizes of each. Numbers that differ between the traces depend on these sizes; here they become
one :class:`Varying`, for which the exporter looks for a formula that holds in all traces.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any, Callable, Sequence

import numpy as np

from minigrad.errors import OnnxExporterError
from minigrad.onnx.tracing import Trace


@dataclass(frozen=True)
class Varying:
    """A number that depends on the sizes of the dynamic axes: what it is in each trace."""

    values: tuple[Any, ...]

    def combine(self, function: Callable[[Any, Any], Any], other: Any) -> Any:
        """What `function` gives of this and another number."""
        others = other.values if isinstance(other, Varying) else (other,) * len(self.values)
        return merged([function(a, b) for a, b in zip(self.values, others)])

    def __mul__(self, other: Any) -> Any: return self.combine(operator.mul, other)
    __rmul__ = __mul__
    def __add__(self, other: Any) -> Any: return self.combine(operator.add, other)
    __radd__ = __add__
    def __sub__(self, other: Any) -> Any: return self.combine(operator.sub, other)
    def __rsub__(self, other: Any) -> Any: return self.combine(lambda a, b: b - a, other)
    def __neg__(self) -> Any: return self * -1


def product(numbers: Any) -> Any:
    """The product of numbers, of which some may be varying."""
    found: Any = 1
    for n in numbers:
        found = n * found
    return found


@dataclass(frozen=True)
class VaryingArray:
    """An array among the settings that differs between the traces."""

    arrays: tuple[Any, ...]


class Unlike(Exception):
    """Settings that differ in more than numbers."""


def merged(values: Sequence[Any]) -> Any:
    """One setting for those of all traces: itself where they agree, else with a Varying in the place of each number that differs.
    Raises :class:`Unlike`."""
    first = values[0]
    if any(type(v) is not type(first) for v in values) and not all(isinstance(v, (int, np.integer)) for v in values):
        raise Unlike
    if isinstance(first, np.ndarray):
        alike = all(same_elements(v, first) for v in values)
        return first if alike else VaryingArray(tuple(values))
    if isinstance(first, (tuple, list)):
        if any(len(v) != len(first) for v in values):
            raise Unlike
        return tuple([merged(parts) for parts in zip(*values)])
    if isinstance(first, slice):
        return slice(*[merged([getattr(v, part) for v in values]) for part in ("start", "stop", "step")])
    if isinstance(first, (int, float, np.integer)) and not isinstance(first, bool):
        return first if all(v == first or v != v and first != first for v in values) else Varying(tuple(values))
    if any(v is not first and v != first for v in values):
        raise Unlike
    return first


def same_elements(a: Any, b: Any) -> bool:
    """Whether two arrays are the same, NaN being NaN."""
    return bool(a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes())


def require_same_calls(traces: Sequence[Trace]) -> None:
    """Raise unless the model makes the same calls, on the same values, in all traces."""
    first = traces[0]
    for other in traces[1:]:
        for a, b in zip(first.calls, other.calls):
            if (a.op, a.operands) != (b.op, b.operands):
                raise OnnxExporterError("onnx.export: what is computed depends on the values or the sizes of the inputs: on "
                                        f"other inputs, {b.called} at {b.line} is called in the place of {a.called} at {a.line}. "
                                        "A file holds one way only; take the choice out of the model, or make it by "
                                        "minigrad.where()")
        if len(first.calls) != len(other.calls) or first.outputs != other.outputs:
            line = max(first.calls, other.calls, key=len)[-1].line
            raise OnnxExporterError("onnx.export: how much is computed depends on the values or the sizes of the inputs: there "
                                    f"are {len(first.calls)} operations, and {len(other.calls)} on other inputs, the last one "
                                    f"at {line}. A file holds one way only: loops must take the same number of steps for every "
                                    "input, so leave the axis they run over out of the dynamic ones")
