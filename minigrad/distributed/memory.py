"""Tensors as flat arrays where their group exchanges them, in host memory or on a GPU, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

import numpy as np

from minigrad import _arrays
from minigrad._tensor import Tensor
from minigrad.errors import DeviceError, DtypeError, InvalidValueError
from minigrad.recording.argument_errors import dtype_name
from minigrad.recording.clock import ledger
from minigrad.recording.inplace import refuse_read_only

if TYPE_CHECKING:
    from minigrad.distributed.process_group import ProcessGroup

__all__ = ["array_of", "describe", "flat", "flat_space", "put", "put_all", "space", "summable"]

OF_INTEGERS = ("BAND", "BOR", "BXOR")
OF_BOOLEANS = {"SUM": "MAX", "BOR": "MAX", "PRODUCT": "MIN", "BAND": "MIN"}


def flat(t: Tensor, called: str, group: ProcessGroup) -> Any:
    """The elements of `t` one after the other on the group's device, in its own memory where they lie like that and can be
    written, else in a copy."""
    array = array_of(t, called, group)
    can_be_written = not isinstance(array, np.ndarray) or array.flags.writeable
    return (_arrays.xp_of(array).ascontiguousarray(array) if can_be_written else array.copy()).reshape(-1)


def array_of(t: Tensor, called: str, group: ProcessGroup) -> Any:
    """The array of `t` on the group's device. Raises ``RuntimeError`` where that is a GPU, and `t` is elsewhere."""
    array = checked(t, called, group).array
    return _arrays.to_numpy(array) if group.device == _arrays.CPU else array


def flat_space(tensors: Sequence[Tensor], called: str, group: ProcessGroup) -> tuple[Any, list[int]]:
    """Room for the elements of `tensors`, one after the other, and how many each has."""
    counts = [checked(t, called, group).numel() for t in tensors]
    dtypes = {t.array.dtype for t in tensors}
    if len(dtypes) > 1:
        raise DtypeError(f"{called}: the tensors of a list must have one dtype, not {', '.join(sorted(map(dtype_name, dtypes)))}")
    return space(sum(counts), dtypes.pop() if dtypes else np.float32, group), counts


def space(count: int, dtype: Any, group: ProcessGroup) -> Any:
    """Room for `count` elements on the group's device."""
    return _arrays.make(group.device, "empty", count, dtype)


def checked(t: Tensor, called: str, group: ProcessGroup) -> Tensor:
    """`t`, if it is a tensor that the group can exchange."""
    if not isinstance(t, Tensor):
        raise InvalidValueError(f"{called}: expected a tensor, not {type(t).__name__}")
    if group.device not in (_arrays.CPU, t.device):
        raise DeviceError(f"{group.where()}{called}: NCCL exchanges tensors on {group.device}, the GPU of this process, and this "
                          f"one is on {t.device}: move it, by .to({str(group.device)!r}), or exchange it in a group that "
                          "distributed.new_group(backend='mpi') makes")
    return t


def put(t: Tensor, values: Any, called: str) -> None:
    """Write `values`, of a dtype that stands for that of `t`, into the memory of `t`, unless that is where they are."""
    target = t.array
    refuse_read_only(target, called)
    if not are_in(target, values):
        shaped = values.astype(target.dtype, copy=False).reshape(target.shape)
        with _arrays.on_device_of(target):
            target[...] = _arrays.to_device(shaped, t.device)
    ledger.record(target, called)


def are_in(target: Any, values: Any) -> bool:
    """Whether `values` lie in the memory of `target`: what :func:`flat` gave, or other numbers made of the same bits."""
    return (_arrays.library_of(target) is _arrays.library_of(values)
            and _arrays.address_of(target) == _arrays.address_of(values) and target.nbytes == values.nbytes)


def put_all(tensors: Sequence[Tensor], values: Any, called: str) -> None:
    """Write `values`, those of all `tensors` one after the other."""
    begin = 0
    for t in tensors:
        put(t, values[begin:begin + t.numel()], called)
        begin += t.numel()


def summable(values: Any, op: str, called: str) -> tuple[Any, str]:
    """`values` as numbers that libraries can reduce, and the name of what they are reduced by: half precision as float32,
    booleans as bytes in the same memory, of which the largest says whether any is true.

    Raises ``RuntimeError`` where `op` is not of such numbers.
    """
    dtype = values.dtype
    kind = "f" if dtype.kind == "V" else dtype.kind
    if (op in OF_INTEGERS and kind not in "iub") or (op in ("MIN", "MAX") and kind == "c") or (op == "AVG" and kind not in "fc"):
        raise DtypeError(f"{called}: {op} is not defined for the dtype {dtype_name(dtype)}; convert the tensor, by .to()")
    if kind == "b":
        return values.view(np.uint8), OF_BOOLEANS.get(op, op)
    return (values.astype(np.float32) if kind == "f" and dtype.itemsize < 4 else values), "SUM" if op == "AVG" else op


def describe(t: Tensor) -> str:
    """The dtype and shape of `t`, as errors say them."""
    return f"{str(t.dtype).rpartition('.')[2]} {list(t.shape)}"
