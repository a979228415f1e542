"""Memory shared with other libraries: DLPack both ways, and CUDA's array interface."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import _arrays
from minigrad.utils import dlpack
from tests import fake_cuda, standin

DTYPES = ["float32", "float64", "float16", "int8", "int16", "int32", "int64", "uint8", "complex64", "complex128"]


class Foreign:
    """An object of which nothing is known but that it has the protocol."""

    def __init__(self, array: Any) -> None:
        self.__dlpack__, self.__dlpack_device__ = array.__dlpack__, array.__dlpack_device__


@pytest.mark.parametrize("dtype", DTYPES)
def test_numpy_and_tensors_share_memory(dtype: str) -> None:
    array = np.arange(6).reshape(2, 3).astype(dtype)
    for make in (mg.from_dlpack, dlpack.from_dlpack, mg.as_tensor, mg.asarray):
        t = make(Foreign(array))
        assert t.data_ptr() == array.ctypes.data and t.dtype is getattr(mg, dtype) and t.is_leaf and not t.requires_grad
        t[0, 0] = 5
        assert array[0, 0] == 5
        array[0, 0] = 0
    back = np.from_dlpack(t)
    assert back.ctypes.data == array.ctypes.data and back.dtype == array.dtype


def test_strides_and_empty_arrays_come_through() -> None:
    array = np.arange(24.0).reshape(4, 6)[::2, 1::3].T
    t = mg.from_dlpack(array)
    assert t.stride() == (3, 12) and t.tolist() == array.tolist()
    assert np.from_dlpack(t).strides == array.strides
    assert mg.from_dlpack(np.zeros((0, 3))).shape == (0, 3) and mg.from_dlpack(np.array(2.0)).item() == 2.0


def test_capsules() -> None:
    t = mg.arange(3.0)
    capsule = dlpack.to_dlpack(t)
    u = mg.from_dlpack(capsule)
    assert u.data_ptr() == t.data_ptr()
    with pytest.raises(RuntimeError, match="can be consumed only once"):
        mg.from_dlpack(capsule)
    assert mg.asarray(mg.to_dlpack(t)).data_ptr() == t.data_ptr()


def test_memory_outlives_its_first_owner() -> None:
    t = mg.from_dlpack(np.full(1000, 3.0))
    u = np.from_dlpack(mg.full((1000,), 4.0))
    junk = [np.zeros(1000) for _ in range(50)]
    assert (t == 3).all() and (u == 4).all() and len(junk) == 50


def test_what_requires_grad_is_not_exported() -> None:
    x = mg.ones(2, requires_grad=True)
    for t in (x, x * 2):
        with pytest.raises(BufferError, match="Can't export tensors that require gradient, use tensor.detach"):
            np.from_dlpack(t)
    assert np.from_dlpack(x.detach()).ctypes.data == x.data_ptr()


def test_the_device_and_copies_can_be_asked_for() -> None:
    array = np.ones(2)
    assert mg.from_dlpack(array, device="cpu").data_ptr() == array.ctypes.data == mg.from_dlpack(array, copy=False).data_ptr()
    assert mg.from_dlpack(array, copy=True).data_ptr() != array.ctypes.data
    assert str(mg.from_dlpack(array, device="standin:1").device) == "standin:1"
    with pytest.raises(ValueError, match="from cpu to standin:1 without a copy"):
        mg.from_dlpack(array, device="standin:1", copy=False)


def test_devices_that_cannot_be_shared_are_named() -> None:
    class Elsewhere:
        def __dlpack__(self) -> Any:
            raise AssertionError("not asked for")

        def __dlpack_device__(self) -> tuple[int, int]:
            return 7, 0
    with pytest.raises(RuntimeError, match="the Elsewhere is on a device of DLPack's kind 7"):
        mg.from_dlpack(Elsewhere())


@standin.of_itself
def test_gpus_share_memory_too() -> None:
    x = mg.arange(3.0, device="standin:1")
    assert x.__dlpack_device__() == (12, 1)
    with fake_cuda.nothing_changes():
        y = mg.from_dlpack(x)
    assert y.device == x.device and y.data_ptr() == x.data_ptr() and isinstance(y.array, standin.ndarray)
    assert mg.asarray(Foreign(x)).data_ptr() == x.data_ptr() == mg.as_tensor(Foreign(x)).data_ptr()


def test_the_cuda_array_interface(monkeypatch: pytest.MonkeyPatch) -> None:
    x = mg.arange(3.0, device="standin")
    described = x.__cuda_array_interface__
    assert described["shape"] == (3,) and described["typestr"] == "<f4" and described["data"][0] == x.data_ptr()
    assert not hasattr(mg.ones(1), "__cuda_array_interface__")
    with pytest.raises(AttributeError, match="non-CUDA tensor type: minigrad.FloatTensor"):
        _ = mg.ones(1).__cuda_array_interface__
    with pytest.raises(RuntimeError, match="requires grad"):
        _ = mg.ones(1, device="standin", requires_grad=True).__cuda_array_interface__

    class OnGPU:
        __cuda_array_interface__ = described
    monkeypatch.setitem(_arrays.libraries, "cuda", _arrays.library_on(standin.DEVICE))
    monkeypatch.setattr(standin.xp, "asarray", lambda found: x.array if found.__cuda_array_interface__ is described else None)
    assert mg.as_tensor(OnGPU()).data_ptr() == mg.asarray(OnGPU()).data_ptr() == x.data_ptr()


@pytest.mark.parity
@pytest.mark.parametrize("dtype", DTYPES)
def test_pytorch_and_tensors_share_memory(dtype: str) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    theirs = torch.arange(6).reshape(2, 3).to(getattr(torch, dtype))
    for make in (mg.from_dlpack, mg.as_tensor, mg.asarray, lambda t: mg.from_dlpack(torch.utils.dlpack.to_dlpack(t))):
        ours = make(theirs)
        assert ours.data_ptr() == theirs.data_ptr() and ours.dtype is getattr(mg, dtype) and ours.tolist() == theirs.tolist()
    ours[0, 0] = 7
    assert theirs[0, 0] == 7
    ours = mg.ones(2, 3, dtype=getattr(mg, dtype)).T
    for made in (torch.from_dlpack(ours), torch.utils.dlpack.from_dlpack(dlpack.to_dlpack(ours))):
        assert made.data_ptr() == ours.data_ptr() and made.stride() == ours.stride()
    for library in (mg, torch):
        with pytest.raises(BufferError, match="Can't export tensors that require gradient, use tensor.detach"):
            library.ones(1, requires_grad=True).__dlpack__()


def test_streams_are_refused_where_there_are_none() -> None:
    x = mg.ones(2)
    with pytest.raises(TypeError, match="stream must be an int or None, not object"):
        x.__dlpack__(stream=object())
    with pytest.raises(AssertionError, match="stream should be None on cpu"):
        x.__dlpack__(stream=0)
    assert mg.from_dlpack(x.__dlpack__(stream=None)).data_ptr() == x.data_ptr()
