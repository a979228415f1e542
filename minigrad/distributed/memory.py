"""Tensors as flat arrays in host memory, which are exchanged, and back."""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad.errors import DtypeError, InvalidValueError
from minigrad.recording.argument_errors import dtype_name
from minigrad.recording.clock import ledger
from minigrad.recording.inplace import refuse_read_only

__all__ = ["describe", "flat", "flat_space", "put", "put_all", "summable"]

OF_INTEGERS = ("BAND", "BOR", "BXOR")


def flat(t: Tensor, called: str) -> Any:
    """The elements of `t` one after the other, in its own memory where they lie like that and can be
    written, else in a copy."""
    if not isinstance(t, Tensor):
        raise InvalidValueError(f"{called}: expected a tensor, not {type(t).__name__}")
    array = _arrays.to_numpy(t.array)
    return (np.ascontiguousarray(array) if array.flags.writeable else array.copy()).reshape(-1)


def flat_space(tensors: Sequence[Tensor], called: str) -> tuple[Any, list[int]]:
    """Room for the elements of `tensors`, one after the other, and how many each has."""
    counts = [t.numel() for t in tensors]
    dtypes = {t.array.dtype for t in tensors}
    if len(dtypes) > 1:
        raise DtypeError(f"{called}: the tensors of a list must have one dtype, not {', '.join(sorted(map(dtype_name, dtypes)))}")
    return np.empty(sum(counts), dtypes.pop() if dtypes else np.float32), counts


def put(t: Tensor, values: Any, called: str) -> None:
    """Write `values`, of a dtype that stands for that of `t`, into the memory of `t`, unless that is where they are."""
    target = t.array
    if not (isinstance(target, np.ndarray) and np.may_share_memory(target, values)):
        refuse_read_only(target, called)
        shaped = values.astype(target.dtype, copy=False).reshape(target.shape)
        target[...] = shaped if isinstance(target, np.ndarray) else _arrays.to_device(shaped, t.device)
    ledger.record(target, called)


def put_all(tensors: Sequence[Tensor], values: Any, called: str) -> None:
    """Write `values`, those of all `tensors` one after the other."""
    begin = 0
    for t in tensors:
        put(t, values[begin:begin + t.numel()], called)
        begin += t.numel()


def summable(values: Any, op: str, called: str) -> Any:
    """`values` as numbers that MPI can reduce by `op`: half precision as float32, booleans as bytes in the same memory.

    Raises ``RuntimeError`` where `op` is not of such numbers.
    """
    dtype = values.dtype
    kind = "f" if dtype.kind == "V" else dtype.kind
    if (op in OF_INTEGERS and kind not in "iub") or (op in ("MIN", "MAX") and kind == "c") or (op == "AVG" and kind not in "fc"):
        raise DtypeError(f"{called}: {op} is not defined for the dtype {dtype_name(dtype)}; convert the tensor, by .to()")
    if kind == "b":
        return values.view(np.uint8)
    return values.astype(np.float32) if kind == "f" and dtype.itemsize < 4 else values


def describe(t: Tensor) -> str:
    """The dtype and shape of `t`, as errors say them."""
    return f"{str(t.dtype).rpartition('.')[2]} {list(t.shape)}"
