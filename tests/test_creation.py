"""Tensors made from nothing, from data and like others: values, dtypes, and what is refused, as in PyTorch."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from tests import standin

nan, inf = mg.nan, mg.inf


def same(t: Any, values: Any, dtype: Any = mg.float32) -> None:
    np.testing.assert_array_equal(t.numpy(force=True), np.array(values, dtype=dtype.numpy))
    assert t.dtype is dtype and t.shape == np.shape(values)


# ---------------------------------------------------------------------------------------------------- sizes

@pytest.mark.parametrize("make", [mg.zeros, mg.ones, mg.empty, mg.rand, mg.randn, mg.ones(1).new_zeros, mg.ones(1).new_ones,
                                  mg.ones(1).new_empty])
def test_forms_of_a_size(make: Any) -> None:
    for t in (make(2, 3), make((2, 3)), make([2, 3]), make(size=(2, 3)), make(mg.Size([2, 3])), make(mg.tensor(2), np.int8(3))):
        assert t.shape == (2, 3) and t.dtype is mg.float32 and not t.requires_grad and t.is_leaf
    assert make(()).shape == () and make(0).shape == (0,) and make(2, dtype=mg.float64).dtype is mg.float64
    assert make(2, requires_grad=True).requires_grad and make(2, device="cpu").device.type == "cpu"
    with pytest.raises(RuntimeError, match=r"Trying to create tensor with negative dimension -1: \[2, -1\]"):
        make(2, -1)
    for wrong in ((2.5,), ("a",), ((2, 1.0),)):
        with pytest.raises(TypeError, match="argument 'size' must be a tuple of ints, but found"):
            make(*wrong)
    with pytest.raises(TypeError, match="missing argument 'size'"):
        make()
    with pytest.raises(TypeError, match="unexpected keyword argument"):
        make(2, dtpe=mg.float64)


# ---------------------------------------------------------------------------------------------------- constants

def test_constants() -> None:
    same(mg.zeros(2), [0, 0])
    same(mg.ones(2, dtype=mg.int64), [1, 1], mg.int64)
    same(mg.full((2,), 3), [3, 3], mg.int64)
    same(mg.full((2,), 1.5), [1.5, 1.5])
    same(mg.full((), True), True, mg.bool)
    same(mg.full([1], 2j), [2j], mg.complex64)
    same(mg.full((1,), mg.tensor(4)), [4], mg.int64)
    same(mg.eye(2, 3), [[1, 0, 0], [0, 1, 0]])
    same(mg.eye(2, dtype=mg.bool), [[True, False], [False, True]], mg.bool)
    same(mg.scalar_tensor(3), 3)
    with pytest.raises(TypeError, match="argument 'size' must be a tuple of ints, not int"):
        mg.full(2, 3)


def test_default_dtype() -> None:
    mg.set_default_dtype(mg.float64)
    try:
        made = [mg.zeros(1), mg.tensor(1.0), mg.full((1,), 1.0), mg.arange(1.0), mg.linspace(0, 1, 2), mg.rand(1), mg.eye(1)]
        assert {t.dtype for t in made} == {mg.float64} and mg.tensor(1j).dtype is mg.complex128
    finally:
        mg.set_default_dtype(mg.float32)


def test_out() -> None:
    out = mg.empty(3)
    assert mg.zeros(2, out=out) is out and out.tolist() == [0, 0]
    assert mg.zeros(3, out=out) is out and out.tolist() == [0, 0, 0]
    assert mg.arange(3, out=out) is out and out.tolist() == [0, 1, 2] and out.dtype is mg.float32
    assert mg.randperm(3, out=mg.empty(0, dtype=mg.int32)).dtype is mg.int32
    with pytest.raises(TypeError, match="argument 'out' must be a Tensor, not list"):
        mg.zeros(2, out=[])


def test_on_another_device() -> None:
    made = [mg.zeros(2, device="standin"), mg.full((2,), 1, device="standin"), mg.arange(2, device="standin"),
            mg.tensor([1, 2], device="standin"), mg.eye(2, device="standin"), mg.linspace(0, 1, 2, device="standin")]
    made += [mg.zeros_like(made[0]), made[0].new_ones(2), made[0].new_tensor([1]), mg.tensor(made[0].array),
             mg.as_tensor(made[0])]
    assert all(t.device == standin.DEVICE and isinstance(t.array, standin.ndarray) for t in made)
    assert mg.zeros_like(made[0], device="cpu").device.type == "cpu"
    made[0].fill_(3).copy_(mg.ones(2))
    assert made[0].tolist() == [1, 1]


# ---------------------------------------------------------------------------------------------------- sequences

def test_arange() -> None:
    same(mg.arange(3), [0, 1, 2], mg.int64)
    same(mg.arange(3.0), [0, 1, 2])
    same(mg.arange(5, 1, -2), [5, 3], mg.int64)
    same(mg.arange(end=2), [0, 1], mg.int64)
    same(mg.arange(0, 1, 0.25), [0, 0.25, 0.5, 0.75])
    same(mg.arange(mg.tensor(2)), [0, 1], mg.int64)
    same(mg.arange(2.5, dtype=mg.int64), [0, 1], mg.int64)
    same(mg.arange(True), [0], mg.int64)
    same(mg.arange(0, 2**40, 2**39), [0, 2**39], mg.int64)
    assert len(mg.arange(0, 1, 0.1)) == 10 and mg.arange(0).shape == (0,)
    same(mg.range(1, 2, 0.5), [1, 1.5, 2])
    with pytest.raises(RuntimeError, match="step must be nonzero"):
        mg.arange(1, 2, 0)
    with pytest.raises(RuntimeError, match="upper bound and lower bound inconsistent with step sign"):
        mg.arange(2, 1)
    with pytest.raises(RuntimeError, match="unsupported range: 0 -> inf"):
        mg.arange(0, inf)


def test_linspace_and_logspace() -> None:
    same(mg.linspace(0, 1, 5), [0, 0.25, 0.5, 0.75, 1])
    same(mg.linspace(3, -1, 3), [3, 1, -1])
    same(mg.linspace(2, 5, 1), [2])
    same(mg.linspace(2, 5, 0), [])
    same(mg.linspace(0, 10, 5, dtype=mg.int64), [0, 2, 5, 7, 10], mg.int64)
    same(mg.linspace(0, 1j, 3), [0, 0.5j, 1j], mg.complex64)
    same(mg.linspace(mg.tensor(0), mg.tensor(1), 2), [0, 1])
    same(mg.logspace(0, 2, 3), [1, 10, 100])
    same(mg.logspace(0, 3, 4, base=2), [1, 2, 4, 8])
    same(mg.logspace(1, 3, 7, dtype=mg.int64), [10, 21, 46, 100, 215, 464, 1000], mg.int64)
    line = mg.linspace(0.1, 0.7, 100)
    assert line[0].item() == np.float32(0.1) and line[-1].item() == np.float32(0.7)
    with pytest.raises(RuntimeError, match="number of steps must be non-negative"):
        mg.linspace(0, 1, -1)
    with pytest.raises(RuntimeError, match="only supports 0-dimensional start and end tensors"):
        mg.linspace(mg.ones(2), 1, 2)
    with pytest.raises(RuntimeError, match="can't be safely cast to passed dtype"):
        mg.linspace(0, 1j, 2, dtype=mg.float32)


def test_indices_of_triangles() -> None:
    same(mg.tril_indices(3, 2), [[0, 1, 1, 2, 2], [0, 0, 1, 0, 1]], mg.int64)
    same(mg.triu_indices(2, 3, offset=1), [[0, 0, 1], [1, 2, 2]], mg.int64)
    assert mg.tril_indices(2, 2, dtype=mg.int32).dtype is mg.int32
    with pytest.raises(RuntimeError, match="must be non-negative, got -1"):
        mg.tril_indices(-1, 2)


@pytest.mark.parametrize(("make", "reference"), [
    (mg.hann_window, np.hanning), (mg.hamming_window, np.hamming), (mg.blackman_window, np.blackman),
    (mg.bartlett_window, np.bartlett), (mg.kaiser_window, lambda n: np.kaiser(n, 12.0))])
def test_windows(make: Any, reference: Any) -> None:
    for n in (0, 1, 2, 5, 8):
        symmetric, periodic = make(n, periodic=False, dtype=mg.float64), make(n, dtype=mg.float64)
        np.testing.assert_allclose(symmetric.numpy(), reference(n), atol=1e-12)
        np.testing.assert_allclose(periodic.numpy(), reference(n + 1)[:-1] if n > 1 else np.ones(n), atol=1e-12)
    assert make(3).dtype is mg.float32 and make(3, requires_grad=True).requires_grad
    with pytest.raises(RuntimeError, match="requires non-negative window_length"):
        make(-1)
    with pytest.raises(RuntimeError, match="expects floating point dtypes, got: minigrad.int64"):
        make(3, dtype=mg.int64)


# ---------------------------------------------------------------------------------------------------- like others

def test_like() -> None:
    x = mg.ones(2, 3, dtype=mg.float64, requires_grad=True)
    for make in (mg.zeros_like, mg.ones_like, mg.empty_like, mg.rand_like, mg.randn_like):
        t = make(x)
        assert t.shape == (2, 3) and t.dtype is mg.float64 and not t.requires_grad
        assert make(x, dtype=mg.float32, requires_grad=True).requires_grad
    same(mg.full_like(mg.zeros(1, dtype=mg.int64), 2.7), [2], mg.int64)
    assert mg.zeros_like(mg.ones(2, 3).t()).stride() == (1, 3)
    with pytest.raises(TypeError, match="argument 'input' must be a Tensor, not int"):
        mg.zeros_like(3)


def test_new() -> None:
    x = mg.ones(1, dtype=mg.int64)
    same(x.new_zeros(2), [0, 0], mg.int64)
    same(x.new_ones((1, 2)), [[1, 1]], mg.int64)
    same(x.new_full((2,), 3), [3, 3], mg.int64)
    same(x.new_tensor([1.5]), [1], mg.int64)
    same(x.new_tensor([1.5], dtype=mg.float32), [1.5])
    assert x.new_empty(3).dtype is mg.int64


def test_strided() -> None:
    t = mg.empty_strided((2, 3), (1, 2))
    t.copy_(mg.arange(6).reshape(2, 3))
    assert t.stride() == (1, 2) and t.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert mg.ones(1).new_empty_strided((0, 2), (2, 1)).shape == (0, 2)
    assert mg.empty_permuted((2, 3, 4), (2, 0, 1)).stride() == (3, 1, 6)
    with pytest.raises(RuntimeError, match="dimensionality of sizes"):
        mg.empty_strided((2, 3), (1,))


def test_resize_in_place() -> None:
    x = mg.arange(6)
    assert x.resize_(2, 2) is x and x.tolist() == [[0, 1], [2, 3]]
    assert x.resize_((8,)).shape == (8,) and x[:4].tolist() == [0, 1, 2, 3]
    assert mg.zeros(2).resize_as_(mg.ones(1, 3)).shape == (1, 3)
    with pytest.raises(RuntimeError, match="cannot resize variables that require grad"):
        mg.ones(2, requires_grad=True).resize_(3)


# ---------------------------------------------------------------------------------------------------- from data

@pytest.mark.parametrize(("data", "dtype"), [
    (1, mg.int64), (1.0, mg.float32), (True, mg.bool), (1j, mg.complex64), ([1, 2.5], mg.float32), ([True, 2], mg.int64),
    ([1, 1j], mg.complex64), ([], mg.float32), ([[]], mg.float32), ((1, 2), mg.int64), (range(3), mg.int64),
    ([(1, 2), [3, 4]], mg.int64), ([[[1]], [[2]]], mg.int64), (np.float64(1.5), mg.float64), ([np.float32(1.5)], mg.float32),
    ([np.int16(1), 2.0], mg.float32), ([np.float64(1)], mg.float64), (np.arange(3, dtype=np.int32), mg.int32),
    (np.array(2.0), mg.float64), ([np.bool_(True)], mg.bool), (np.zeros((0, 3)), mg.float64)])
def test_tensor_infers_a_dtype(data: Any, dtype: mg.dtype) -> None:
    t = mg.tensor(data)
    assert t.dtype is dtype and t.shape == np.shape(data)
    np.testing.assert_array_equal(t.numpy(), np.array(data))


def test_tensor_of_tensors_and_arrays() -> None:
    same(mg.tensor([mg.tensor(1), mg.tensor(2)]), [1, 2], mg.int64)
    same(mg.tensor([mg.tensor(1.0, dtype=mg.float64), 2]), [1, 2], mg.float64)
    same(mg.tensor([mg.ones(2), np.zeros(2, np.float32)]), [[1, 1], [0, 0]])
    x = mg.ones(2, requires_grad=True)
    with pytest.warns(UserWarning, match="it is recommended to use sourceTensor.detach"):
        y = mg.tensor(x)
    assert y.is_leaf and not y.requires_grad and y.data_ptr() != x.data_ptr()


def test_tensor_copies() -> None:
    a = np.zeros(2)
    t, shared = mg.tensor(a), mg.as_tensor(a)
    a[0] = 1
    assert t.tolist() == [0, 0] and shared.tolist() == [1, 0]
    assert mg.tensor(np.arange(4)[::2]).tolist() == [0, 2]


def test_tensor_converts() -> None:
    same(mg.tensor([1.9, -1.9], dtype=mg.int64), [1, -1], mg.int64)
    same(mg.tensor([0, 0.5], dtype=mg.bool), [False, True], mg.bool)
    same(mg.tensor([-1], dtype=mg.uint8), [255], mg.uint8)
    same(mg.tensor(1.5, dtype=mg.complex64), 1.5, mg.complex64)
    same(mg.tensor(1e40), inf)
    same(mg.tensor([1], dtype=float), [1], mg.float64)
    same(mg.tensor(2**63, dtype=mg.uint64), 2**63, mg.uint64)


@pytest.mark.parametrize(("data", "options", "error", "match"), [
    ([[1, 2], [3]], {}, ValueError, r"expected sequence of length 2 at dim 1 \(got 1\): data\[1\]"),
    ([[[1, 2], [3, 4]], [[5, 6], [7]]], {}, ValueError, r"expected sequence of length 2 at dim 2 \(got 1\): data\[1\]\[1\]"),
    ([[1], 2], {}, TypeError, r"not a sequence: data\[1\] is a number"),
    ([1, [2]], {}, TypeError, r"not a sequence: data\[1\] is a sequence"),
    ("a", {}, TypeError, "invalid data type 'str'"), (["a"], {}, ValueError, "too many dimensions 'str'"),
    (None, {}, RuntimeError, "Could not infer dtype of NoneType"), ({}, {}, RuntimeError, "Could not infer dtype of dict"),
    (2**63, {}, ValueError, "Overflow when unpacking long long"),
    ([300], {"dtype": mg.uint8}, RuntimeError, "cannot be converted to minigrad.uint8 without overflow"),
    ([nan], {"dtype": mg.int64}, RuntimeError, "cannot be converted to minigrad.int64 without overflow"),
    ([1j], {"dtype": mg.float32}, TypeError, "cannot make minigrad.float32 of the data"),
    (np.array(["a"]), {}, TypeError, "can't convert np.ndarray of type <U1. The only supported types are: bool, uint8"),
    ([1], {"dtype": "no"}, TypeError, "is not a dtype minigrad has"),
    ([1], {"device": "nowhere:x"}, RuntimeError, "expected a name such as 'cpu'")])
def test_tensor_refuses(data: Any, options: dict[str, Any], error: type[Exception], match: str) -> None:
    with pytest.raises(error, match=match):
        mg.tensor(data, **options)


def test_as_tensor_keeps_the_graph() -> None:
    x = mg.ones(2, requires_grad=True)
    y = x * 2
    assert mg.as_tensor(y) is y and mg.as_tensor(y, dtype=mg.float64).requires_grad
    assert mg.as_tensor([1, 2], dtype=mg.float32).dtype is mg.float32


def test_asarray() -> None:
    a, x = np.zeros(2, np.float32), mg.ones(2, requires_grad=True)
    assert np.shares_memory(mg.asarray(a).array, a) and not np.shares_memory(mg.asarray(a, copy=True).array, a)
    assert not mg.asarray(x, requires_grad=False).requires_grad and mg.asarray(x).data_ptr() == x.data_ptr()
    assert mg.asarray(x, requires_grad=True).requires_grad and mg.asarray([1.0], requires_grad=True).requires_grad
    same(mg.asarray(bytearray(b"ab"), dtype=mg.uint8), [97, 98], mg.uint8)
    for refused, options in ([1], {}), (a, {"dtype": mg.int64}):
        with pytest.raises(ValueError, match="can't alias"):
            mg.asarray(refused, copy=False, **options)


def test_from_numpy() -> None:
    a = np.arange(6).reshape(2, 3)
    t = mg.from_numpy(a[:, ::-1])
    assert t.tolist() == [[2, 1, 0], [5, 4, 3]] and np.shares_memory(t.array, a)
    assert (mg.from_numpy(np.zeros(2, np.longlong)) + mg.zeros(2, dtype=mg.int64)).dtype is mg.int64
    with pytest.raises(TypeError, match=r"expected np.ndarray \(got list\)"):
        mg.from_numpy([1])
    with pytest.raises(TypeError, match="can't convert np.ndarray of type object"):
        mg.from_numpy(np.array([None]))


def test_frombuffer() -> None:
    data = bytearray(np.arange(4, dtype=np.int32).tobytes())
    t = mg.frombuffer(data, dtype=mg.int32)
    data[0] = 9
    same(t, [9, 1, 2, 3], mg.int32)
    same(mg.frombuffer(data, dtype=mg.int32, count=2, offset=4), [1, 2], mg.int32)
    for options, match in (({"offset": 16}, "offset"), ({"count": 9}, "requested buffer length"), ({"count": 0}, "must not be 0"),
                           ({"offset": 1}, "must be a multiple of element size")):
        with pytest.raises(ValueError, match=match):
            mg.frombuffer(data, dtype=mg.int32, **options)


def test_asarray_keeps_a_tensor_and_its_graph() -> None:
    x = mg.ones(2, requires_grad=True)
    y = x * 2
    assert mg.asarray(y) is y and mg.asarray(x) is x and mg.asarray(y, copy=True).requires_grad
    assert mg.asarray(y, dtype=mg.float64).requires_grad and not mg.asarray(y, requires_grad=False).requires_grad
    assert mg.asarray(mg.ones(2), requires_grad=True).is_leaf and mg.asarray(y, requires_grad=True) is y


def test_what_no_tensor_is_made_of_is_refused() -> None:
    loop: list[Any] = [0]
    loop.append(loop)
    for data, match in (([0, "a"], "invalid data type 'str'"), (loop, "self-referential"), ([[1, 2], loop], "self-referential")):
        for function in (mg.tensor, mg.as_tensor):
            with pytest.raises(TypeError, match=match):
                function(data)
    nested: Any = 1
    for _ in range(64):
        nested = [nested]
    assert mg.tensor(nested).ndim == 64
    for deep in ([nested], functools.reduce(lambda inside, _: [inside], range(5000), nested)):
        with pytest.raises(ValueError, match="too many dimensions 'list'"):
            mg.tensor(deep)
    with pytest.raises(ValueError, match="does not implement Python buffer protocol: list"):
        mg.frombuffer([1, 2], dtype=mg.int32)
    with pytest.raises(TypeError, match="'fill_value' must be a number, not Tensor"):
        mg.full((2,), mg.ones(2))


def test_what_a_dtype_cannot_hold_is_refused() -> None:
    for n, dtype in ((256, mg.uint8), (2**11 + 1, mg.float16), (257, mg.bfloat16)):
        assert mg.randperm(n, dtype=dtype).long().unique().numel() == n
        with pytest.raises(RuntimeError, match=f"n cannot be greater than {n}"):
            mg.randperm(n + 1, dtype=dtype)
    with pytest.raises(NotImplementedError, match="randint: not implemented for minigrad.complex64"):
        mg.randint(0, 2, (2,), dtype=mg.complex64)
    with pytest.raises(NotImplementedError, match="triu_indices: not implemented for minigrad.float32"):
        mg.triu_indices(2, 2, dtype=mg.float32)
    with pytest.raises(RuntimeError, match="strides must not be negative"):
        mg.empty_strided((2, 3), (-1, 2))
    with pytest.raises(RuntimeError, match="unsupported memory format preserve_format"):
        mg.empty(2, memory_format=mg.preserve_format)
    with pytest.raises(RuntimeError, match="cannot be broadcast|must match"):
        mg.normal(mg.zeros(3), mg.ones(2))


def test_devices_have_whole_names() -> None:
    for name in ("cuda:", "cpu:-1", "cuda: 1"):
        with pytest.raises(RuntimeError, match="expected a name such as"):
            mg.device(name)
    with pytest.raises(RuntimeError, match="must not be negative"):
        mg.device("cuda", -1)
    with pytest.raises(RuntimeError, match="this older constructor is of cpu, not of cuda"):
        mg.FloatTensor(2, device="cuda")
    assert mg.ones(2).int().type(mg.Tensor).dtype is mg.float32 and mg.ones(2).type("torch.Tensor").dtype is mg.float32
