"""What a Tensor is apart from its mathematics: attributes, conversions, Python's protocols, its place in the graph."""

from __future__ import annotations

import copy
import gc
import math
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import Buffer, Parameter
from tests import standin

FLOATS = [mg.float16, mg.float32, mg.float64]
DTYPES = [mg.bool, mg.uint8, mg.int8, mg.int16, mg.int32, mg.int64, *FLOATS, mg.complex64, mg.complex128]


# ---------------------------------------------------------------------------------------------------- attributes

def test_shape_is_a_size() -> None:
    x = mg.zeros(2, 3, 4)
    assert x.shape == (2, 3, 4) == x.size()
    assert isinstance(x.shape, mg.Size)
    assert repr(x.shape) == str(x.shape) == "minigrad.Size([2, 3, 4])"
    assert x.shape.numel() == x.numel() == x.nelement() == 24
    assert isinstance(x.shape[1:], mg.Size) and isinstance(x.shape + (1,), mg.Size) and isinstance((1,) + x.shape, mg.Size)
    assert (1, *x.shape) == (1,) + x.shape and x.shape * 2 == 2 * x.shape == mg.Size([2, 3, 4, 2, 3, 4])
    assert x.shape[-1] == x.size(-1) == x.size(2) == 4
    assert pickle.loads(pickle.dumps(x.shape)) == x.shape
    assert mg.Size(mg.tensor([2, 3])) == (2, 3)
    with pytest.raises(IndexError, match=r"Dimension out of range \(expected to be in range of \[-3, 2\], but got 3\)"):
        x.size(3)


def test_sizes_and_strides() -> None:
    x = mg.zeros(2, 3, 4)
    assert (x.dim(), x.ndimension(), x.ndim) == (3, 3, 3)
    assert x.stride() == (12, 4, 1) and x.stride(1) == 4 and x.storage_offset() == 0
    assert (x.element_size(), x.itemsize, x.nbytes) == (4, 4, 96)
    part = x[1, 1:].transpose(0, 1)
    assert part.stride() == (1, 4) and part.storage_offset() == 16
    assert part.data_ptr() == x.data_ptr() + 64
    assert not part.is_contiguous() and x.is_contiguous()
    assert part.contiguous().is_contiguous() and x.contiguous() is x
    assert x.dim_order() == (0, 1, 2) and x.transpose(0, 2).dim_order() == (2, 1, 0)
    assert x.is_same_size(mg.ones(2, 3, 4)) and x.is_set_to(x.detach()) and not x.is_set_to(x.clone())


def test_channels_last() -> None:
    x = mg.arange(24.).reshape(1, 2, 3, 4)
    y = x.contiguous(memory_format=mg.channels_last)
    assert y.stride() == (24, 1, 8, 2) and mg.equal(x, y)
    assert y.is_contiguous(memory_format=mg.channels_last) and not x.is_contiguous(memory_format=mg.channels_last)
    assert x.to(memory_format=mg.channels_last).stride() == y.stride()
    assert mg.zeros_like(y).stride() == y.stride() == y.clone().stride()
    assert y.clone(memory_format=mg.contiguous_format).stride() == x.stride()
    assert mg.empty(1, 2, 3, 4, memory_format=mg.channels_last).stride() == y.stride()
    with pytest.raises(RuntimeError, match="required rank 4 tensor to use channels_last format"):
        mg.zeros(3).clone(memory_format=mg.channels_last)


def test_kinds_of_dtype() -> None:
    assert mg.zeros(1).is_floating_point() and mg.is_floating_point(mg.zeros(1))
    assert not mg.arange(1).is_floating_point()
    assert mg.zeros(1, dtype=mg.cfloat).is_complex() and not mg.is_complex(mg.zeros(1))
    assert mg.arange(1).is_signed() and not mg.zeros(1, dtype=mg.uint8).is_signed() and not mg.zeros(1, dtype=mg.bool).is_signed()
    assert mg.is_tensor(mg.zeros(1)) and not mg.is_tensor(np.zeros(1))
    assert mg.zeros(1).layout is mg.strided and repr(mg.strided) == "minigrad.strided"


def test_attributes_of_the_device() -> None:
    x = mg.zeros(1)
    assert x.device == mg.device("cpu") and str(x.device) == "cpu" and repr(x.device) == "device(type='cpu')"
    assert x.is_cpu and not x.is_cuda and x.get_device() == -1 and x.cpu() is x
    there = x.to(standin.DEVICE)
    assert str(there.device) == "standin:0" and not there.is_cpu and mg.equal(there.cpu(), x)


# ---------------------------------------------------------------------------------------------------- conversion

@pytest.mark.parametrize("dtype", DTYPES)
def test_to_a_dtype(dtype: mg.dtype) -> None:
    x = mg.tensor([0.0, 1.0, 2.5])
    y = x.to(dtype)
    assert y.dtype is dtype and y.tolist() == np.array([0, 1, 2.5]).astype(dtype.numpy).tolist()
    assert x.to(dtype=dtype).dtype is dtype and x.to("cpu", dtype).dtype is dtype and x.to(y).dtype is dtype
    assert x.type_as(y).dtype is dtype and x.type(dtype).dtype is dtype
    assert y.to(dtype) is y and y.to(dtype, copy=True) is not y


def test_named_conversions() -> None:
    x = mg.tensor([1.0])
    made = [x.half(), x.float(), x.double(), x.char(), x.short(), x.int(), x.long(), x.byte(), x.bool(), x.cfloat(), x.cdouble()]
    assert [y.dtype for y in made] == [mg.float16, mg.float32, mg.float64, mg.int8, mg.int16, mg.int32, mg.int64, mg.uint8,
                                       mg.bool, mg.complex64, mg.complex128]
    assert x.float() is x
    assert x.type() == "minigrad.FloatTensor" and x.type("minigrad.LongTensor").dtype is mg.int64
    assert x.to(float).dtype is mg.float64 and x.to(int).dtype is mg.int64


def test_conversion_carries_gradients() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x.double()
    assert repr(y.grad_fn) == "<ToCopyBackward0>"
    (y * y).sum().backward()
    assert x.grad.dtype is mg.float32 and x.grad.tolist() == [2.0, 4.0]
    assert not x.long().requires_grad


def test_gradients_across_devices() -> None:
    x = mg.tensor([1.0, 2.0], requires_grad=True)
    y = x.to(standin.DEVICE)
    (y * y).sum().backward()
    assert x.grad.device == mg.device("cpu") and x.grad.tolist() == [2.0, 4.0]


def test_to_refuses_what_it_does_not_know() -> None:
    with pytest.raises(RuntimeError, match="device"):
        mg.zeros(1).to("no such device")
    with pytest.raises(TypeError, match="is not a dtype minigrad has"):
        mg.zeros(1).to([1])


def test_item_and_tolist() -> None:
    assert mg.tensor(2.5).item() == 2.5 and type(mg.tensor([[3]]).item()) is int and mg.tensor(True).item() is True
    assert mg.tensor(1 + 2j).item() == 1 + 2j
    assert mg.tensor([[1, 2], [3, 4]]).tolist() == [[1, 2], [3, 4]] and mg.tensor(5).tolist() == 5
    with pytest.raises(RuntimeError, match="a Tensor with 2 elements cannot be converted to Scalar"):
        mg.zeros(2).item()


def test_numpy_shares_memory_both_ways() -> None:
    x = mg.zeros(3)
    a = x.numpy()
    a[0] = 1
    x[1] = 2
    assert x.tolist() == a.tolist() == [1, 2, 0]
    b = np.zeros(3)
    y = mg.from_numpy(b)
    b[0] = 1
    y[1] = 2
    assert y.tolist() == b.tolist() == [1, 2, 0] and y.dtype is mg.float64


def test_numpy_of_what_requires_grad() -> None:
    x = mg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"Can't call numpy\(\) on Tensor that requires grad. Use tensor.detach\(\).numpy\(\)"):
        x.numpy()
    assert x.detach().numpy().tolist() == x.numpy(force=True).tolist() == [1, 1]
    with pytest.raises(TypeError, match="can't convert standin:0 device type tensor to numpy"):
        mg.ones(2).to(standin.DEVICE).numpy()


def test_array_for_plotting_is_read_only() -> None:
    x = mg.ones(2, requires_grad=True)
    a = np.asarray(x)
    assert a.tolist() == [1, 1] and np.shares_memory(a, x.array)
    with pytest.raises(ValueError, match="read-only"):
        a[0] = 3
    assert np.array(x).flags.writeable and np.asarray(x, dtype=np.float64).dtype == np.float64
    assert np.asarray(mg.ones(2).to(standin.DEVICE)).tolist() == [1, 1]


def test_dlpack() -> None:
    x = mg.arange(3.)
    a = np.from_dlpack(x)
    assert np.shares_memory(a, x.array)
    y = mg.from_dlpack(x.numpy())  # which may be written, as not every NumPy lets `a`
    y[0] = 7
    assert x[0].item() == 7


# ---------------------------------------------------------------------------------------------------- Python's protocols

def test_truth() -> None:
    assert bool(mg.tensor([[1.0]])) and not bool(mg.tensor(0)) and mg.is_nonzero(mg.tensor(3))
    with pytest.raises(RuntimeError, match="Boolean value of Tensor with more than one value is ambiguous"):
        bool(mg.ones(2))
    with pytest.raises(RuntimeError, match="Boolean value of Tensor with no values is ambiguous"):
        bool(mg.ones(0))


def test_numbers() -> None:
    x = mg.tensor([2.75])
    assert (int(x), float(x), complex(x)) == (2, 2.75, 2.75 + 0j)
    assert [10, 20, 30][mg.tensor(1)] == 20 and list(range(5))[mg.tensor(1):mg.tensor([3])] == [1, 2]
    assert f"{mg.tensor(2.0):.3f}" == "2.000" and f"{mg.tensor([1])}" == "tensor([1])"
    for wrong in (mg.tensor(1.0), mg.tensor([1, 2])):
        with pytest.raises(TypeError, match="only integer tensors of a single element can be converted to an index"):
            [1, 2][wrong]
    with pytest.raises(TypeError, match="unsupported format string"):
        format(mg.zeros(2), ".2f")


def test_sequences() -> None:
    x = mg.tensor([[1, 2], [3, 4]])
    assert len(x) == 2 and [row.tolist() for row in x] == [[1, 2], [3, 4]]
    a, b = x
    assert b.tolist() == [3, 4]
    assert 3 in x and mg.tensor(4) in x and 5 not in x
    assert list(map(mg.Tensor.tolist, reversed(mg.arange(3)))) == [2, 1, 0]
    for use in (len, iter):
        with pytest.raises(TypeError, match="0-d tensor"):
            use(mg.tensor(1))
    with pytest.raises(RuntimeError, match="only supports Tensor or scalar"):
        "a" in x  # noqa: B015


def test_equality_and_hash() -> None:
    x, y = mg.tensor([1, 2]), mg.tensor([1, 2])
    assert (x == y).tolist() == [True, True] and (x != 1).tolist() == [False, True]
    assert len({x, y, x}) == 2 and {x: 1}[x] == 1
    assert (x == None) is False and (x != "x") is True  # noqa: E711


def test_operators_with_numbers_and_arrays_on_either_side() -> None:
    x = mg.tensor([2.0, 4.0])
    assert (1 - x).tolist() == [-1, -3] and (8 / x).tolist() == [4, 2] and (2 ** x).tolist() == [4, 16]
    assert (9 // x).tolist() == [4, 2] and (9 % x).tolist() == [1, 1]
    assert (1 << mg.tensor([2])).tolist() == [4] and (7 & mg.tensor([5])).tolist() == [5]
    for result in (np.ones(2, np.float32) + x, x + np.ones(2, np.float32), np.float32(1) + x):
        assert isinstance(result, mg.Tensor) and result.dtype is mg.float32 and result.tolist() == [3, 5]
    assert (np.eye(2, dtype=np.float32) @ x).tolist() == [2, 4]


def test_operators_in_place() -> None:
    x = mg.tensor([4.0, 9.0])
    same = x
    x += 1
    x *= 2
    x -= 4
    x /= 2
    x **= 2
    x //= 3
    x %= 4
    assert x is same and x.tolist() == [3.0, 1.0]
    b = mg.tensor([6])
    b &= 3
    b |= 8
    b ^= 1
    b <<= 2
    b >>= 1
    assert b.tolist() == [22]
    leaf = mg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place operation"):
        leaf += 1
    with mg.no_grad():
        leaf += 1
    assert leaf.is_leaf and leaf.requires_grad and leaf.tolist() == [2, 2]


@pytest.mark.parametrize("requires_grad", [False, True])
def test_deepcopy_and_pickle(requires_grad: bool) -> None:
    x: Any = mg.tensor([[1.0, 2.0]], requires_grad=requires_grad)
    x.note = ["mine"]
    if requires_grad:
        (x * 2).sum().backward()
    twin, thawed = copy.deepcopy(x), pickle.loads(pickle.dumps(x))
    for y in (twin, thawed):
        assert mg.equal(x, y) and y.requires_grad is requires_grad and y.is_leaf and y.note == ["mine"] and y.note is not x.note
        assert not np.shares_memory(x.array, y.array)
        assert (y + y).dtype is mg.float32
    if requires_grad:
        assert twin.grad.tolist() == [[2, 2]] and twin.grad is not x.grad and thawed.grad is None
    both = copy.deepcopy([x, x])
    assert both[0] is both[1]


def test_deepcopy_refuses_what_is_computed() -> None:
    x = mg.ones(2, requires_grad=True) * 2
    with pytest.raises(RuntimeError, match="Only Tensors created explicitly by the user"):
        copy.deepcopy(x)
    thawed = pickle.loads(pickle.dumps(x))
    assert thawed.is_leaf and thawed.requires_grad and thawed.tolist() == [2, 2]


def test_pickle_keeps_a_device_and_a_class() -> None:
    x = pickle.loads(pickle.dumps(mg.ones(2).to(standin.DEVICE)))
    assert x.device == standin.DEVICE
    p = pickle.loads(pickle.dumps(Parameter(mg.ones(2))))
    assert type(p) is Parameter and p.requires_grad


def test_legacy_constructor() -> None:
    assert mg.Tensor([1, 2]).tolist() == [1.0, 2.0] and mg.Tensor([1, 2]).dtype is mg.float32
    assert mg.Tensor(2, 3).shape == (2, 3) and mg.Tensor().shape == (0,) and mg.Tensor(mg.Size([2])).shape == (2,)
    assert mg.zeros(2, dtype=mg.int64).new([1, 2]).dtype is mg.int64 and mg.zeros(1).new(2, 2).shape == (2, 2)
    x = mg.ones(2)
    assert mg.Tensor(x).data_ptr() == x.data_ptr()


def test_subclasses() -> None:
    class Mine(mg.Tensor):
        pass

    x = Mine([1.0, 2.0])
    assert type(x) is Mine and repr(x) == "Mine([1., 2.])" and type(x * 2) is Mine
    leaf = mg.ones(2, requires_grad=True)
    (leaf.as_subclass(Mine) * 3).sum().backward()
    assert leaf.grad.tolist() == [3, 3]
    with pytest.raises(TypeError, match="expected a subclass of Tensor, got int"):
        leaf.as_subclass(int)


# ---------------------------------------------------------------------------------------------------- the graph

def test_leaves() -> None:
    x = mg.ones(2, requires_grad=True)
    y = x * 2
    assert x.is_leaf and x.requires_grad and x.grad_fn is None and mg.ones(1).is_leaf
    assert not y.is_leaf and y.requires_grad and y.grad_fn.name() == "MulBackward0"
    assert y.detach().is_leaf and not y.detach().requires_grad and y.detach().data_ptr() == y.data_ptr()


def test_changing_requires_grad() -> None:
    x = mg.ones(2)
    assert x.requires_grad_() is x and x.requires_grad
    x.requires_grad = False
    assert not x.requires_grad and x.is_leaf
    y = x.requires_grad_() * 2
    assert y.requires_grad_() is y
    with pytest.raises(RuntimeError, match=r"you can only change requires_grad flags of leaf variables.*var.detach\(\)"):
        y.requires_grad_(False)
    with pytest.raises(RuntimeError, match="you can only change requires_grad flags of leaf variables"):
        y.requires_grad = True


def test_integers_refuse_gradients() -> None:
    match = "only Tensors of floating point and complex dtype can require gradients"
    with pytest.raises(RuntimeError, match=match):
        mg.tensor([1], requires_grad=True)
    with pytest.raises(RuntimeError, match=match):
        mg.arange(3).requires_grad_()
    x = mg.arange(3)
    with pytest.raises(RuntimeError, match=match):
        x.requires_grad = True
    with pytest.raises(RuntimeError, match=match):
        Parameter(x)


def test_grad_is_checked_when_assigned() -> None:
    x = mg.ones(2, requires_grad=True)
    x.grad = mg.zeros(2)
    assert x.grad.tolist() == [0, 0]
    x.grad = None
    x.grad = mg.zeros(2)
    del x.grad
    assert x.grad is None
    with pytest.raises(TypeError, match="assigned grad expected to be a Tensor or None but got grad of type list"):
        x.grad = [1.0, 2.0]
    with pytest.raises(RuntimeError, match=r"a gradient of size .\[.*\]. to a tensor of size"):
        x.grad = mg.zeros(3)
    with pytest.raises(RuntimeError, match="a gradient with dtype .* to a tensor of"):
        x.grad = mg.zeros(2, dtype=mg.float64)
    with pytest.raises(RuntimeError, match="a gradient on device .* to a tensor on"):
        x.grad = mg.zeros(2, device=standin.DEVICE)
    with pytest.raises(RuntimeError, match="can't assign Variable as its own grad"):
        x.grad = x


def test_grad_of_what_is_no_leaf_warns() -> None:
    y = mg.ones(2, requires_grad=True) * 2
    with pytest.warns(UserWarning, match="The .grad attribute of a Tensor that is not a leaf Tensor is being accessed"):
        assert y.grad is None


def test_retain_grad() -> None:
    x = mg.ones(2, requires_grad=True)
    y = x * 2
    y.retain_grad()
    assert y.retains_grad and not x.retains_grad
    (y * 3).sum().backward()
    assert y.grad.tolist() == [3, 3] and x.grad.tolist() == [6, 6]
    y = x * 2
    y.retain_grad()
    y.mul_(5)  # what is kept is the gradient of what the tensor is now
    (y * 3).sum().backward()
    assert y.retains_grad and y.grad.tolist() == [3, 3]
    x.retain_grad()
    assert not x.retains_grad
    with pytest.raises(RuntimeError, match="can't retain_grad on Tensor that has requires_grad=False"):
        mg.ones(1).retain_grad()


def test_hooks_of_tensors() -> None:
    x = mg.ones(2, requires_grad=True)
    y = x * 2
    seen: list[Any] = []
    y.register_hook(lambda g: seen.append(g.tolist()))
    handle = x.register_hook(lambda g: g * 10)
    x.register_post_accumulate_grad_hook(lambda t: seen.append(t.grad.tolist()))
    y.sum().backward()
    assert seen == [[1, 1], [20, 20]] and x.grad.tolist() == [20, 20]
    handle.remove()
    x.grad = None
    (x * 2).sum().backward()
    assert x.grad.tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="cannot register a hook on a tensor that doesn't require gradient"):
        mg.ones(1).register_hook(print)
    with pytest.raises(RuntimeError, match="post accumulate grad hooks cannot be registered on non-leaf tensors"):
        y.register_post_accumulate_grad_hook(print)


def test_data() -> None:
    x = mg.ones(2, requires_grad=True)
    assert not x.data.requires_grad and x.data.data_ptr() == x.data_ptr()
    x.data = mg.zeros(3)
    assert x.tolist() == [0, 0, 0] and x.requires_grad and x.is_leaf
    with pytest.raises(TypeError, match="Variable data has to be a tensor, but got int"):
        x.data = 3
    with pytest.raises(RuntimeError, match="can require gradients"):
        x.data = mg.arange(3)


def test_detach_in_place() -> None:
    y = mg.ones(2, requires_grad=True) * 2
    assert y.detach_() is y and y.is_leaf and not y.requires_grad
    with pytest.raises(RuntimeError, match=r"Can't detach views in-place. Use detach\(\) instead."):
        mg.ones(2, requires_grad=True)[:1].detach_()


def test_backward_needs_a_scalar_and_a_graph() -> None:
    x = mg.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="grad can be implicitly created only for scalar outputs"):
        (x * 2).backward()
    with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
        mg.ones(1).backward()
    (x * 2).backward(mg.tensor([1.0, 3.0]))
    assert x.grad.tolist() == [2, 6]


def test_versions_count_writes() -> None:
    x = mg.zeros(3)
    assert x._version == 0
    x.add_(1)
    x[0] = 5
    assert x._version == x[1:]._version == x.detach()._version == 2


def test_outputs_are_numbered() -> None:
    values, indices = mg.ones(2, 3, requires_grad=True).max(dim=1)
    assert values.output_nr == 0 and values.requires_grad and not indices.requires_grad
    first, second = mg.ones(2, 3, requires_grad=True).unbind()
    assert (first.output_nr, second.output_nr) == (0, 1)


def test_no_reference_cycles() -> None:
    gc.disable()
    try:
        x = mg.ones(2, requires_grad=True)
        x.register_hook(lambda g: g)
        y = (x * 2)[0:1]
        y.retain_grad()
        y.sum().backward()
        dead = [weakref.ref(x), weakref.ref(y)]
        del x, y
        assert [ref() for ref in dead] == [None, None]
    finally:
        gc.enable()


# ---------------------------------------------------------------------------------------------------- copies and writes

def test_clone_is_in_the_graph() -> None:
    x = mg.ones(2, requires_grad=True)
    y = x.clone()
    assert y.data_ptr() != x.data_ptr() and repr(y.grad_fn) == "<CloneBackward0>"
    (y * 3).sum().backward()
    assert x.grad.tolist() == [3, 3]


def test_copy_in_place() -> None:
    x = mg.zeros(2, 3)
    assert x.copy_(mg.arange(3)) is x and x.tolist() == [[0, 1, 2]] * 2
    x.copy_(4)
    assert x.tolist() == [[4] * 3] * 2
    source = mg.tensor([1.0, 2.0, 3.0], dtype=mg.float64, requires_grad=True)
    x.copy_(source)
    assert x.requires_grad and x.dtype is mg.float32
    (x * x).sum().backward()
    assert source.grad.tolist() == [4, 8, 12] and source.grad.dtype is mg.float64
    with pytest.raises(RuntimeError, match="copy: "):
        mg.zeros(2).copy_(mg.zeros(3))


def test_copy_in_place_forgets_what_was_there() -> None:
    x = mg.ones(3, requires_grad=True)
    y = x * 2
    y.copy_(mg.zeros(3))
    y.sum().backward()
    assert x.grad.tolist() == [0, 0, 0]


def test_copy_within_itself_and_through_views() -> None:
    x = mg.arange(5)
    x[1:].copy_(x[:-1].clone())
    assert x.tolist() == [0, 0, 1, 2, 3]
    base, source = mg.zeros(2, 2), mg.ones(2, requires_grad=True)
    base[0].copy_(source)
    (base * 5).sum().backward()
    assert source.grad.tolist() == [5, 5]


def test_fill_and_zero() -> None:
    x = mg.ones(3)
    assert x.fill_(2).tolist() == [2, 2, 2] and x.fill_(mg.tensor(3)).tolist() == [3, 3, 3] and x.zero_().tolist() == [0, 0, 0]
    y = mg.ones(2, requires_grad=True) * 2
    y.zero_()
    y.sum().backward()
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        mg.ones(2, requires_grad=True).zero_()


def test_apply() -> None:
    assert mg.tensor([1.0, 2.0]).apply_(lambda v: v * v + 1).tolist() == [2, 5]


# ---------------------------------------------------------------------------------------------------- parameters

def test_parameter() -> None:
    data = mg.ones(2)
    p = Parameter(data)
    assert isinstance(p, mg.Tensor) and p.requires_grad and p.is_leaf and p.data_ptr() == data.data_ptr()
    assert type(p * 2) is mg.Tensor and type(p.detach()) is mg.Tensor and type(p[0]) is mg.Tensor
    assert repr(p) == str(p) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    assert repr(Parameter(mg.ones(1), requires_grad=False)) == "Parameter containing:\ntensor([1.])"
    (p * 2).sum().backward()
    twin = copy.deepcopy(p)
    assert type(twin) is Parameter and twin.grad is None and not np.shares_memory(p.array, twin.array)
    assert Parameter().shape == (0,) and isinstance(mg.nn.Parameter(p), Parameter)
    with pytest.raises(TypeError, match="argument 'data' must be a Tensor, not list"):
        Parameter([1.0])


def test_buffer() -> None:
    b = Buffer(mg.ones(2), persistent=False)
    assert isinstance(b, mg.Tensor) and not b.requires_grad and not b.persistent and Buffer().persistent


# ---------------------------------------------------------------------------------------------------- the namespace

def test_questions() -> None:
    assert mg.numel(mg.zeros(2, 3)) == 6 and mg.is_same_size(mg.zeros(2), mg.ones(2)) and mg.get_device(mg.zeros(1)) == -1
    assert mg.result_type(mg.tensor([1]), 1.5) is mg.float32 and mg.result_type(mg.tensor(1.0), mg.tensor([1])) is mg.float32
    assert mg.can_cast(mg.int64, mg.float32) and not mg.can_cast(mg.float32, mg.int64)
    with pytest.raises(TypeError, match="argument .tensor2. must be a Tensor, not str"):
        mg.result_type(mg.ones(1), "a")


def test_parts_are_imported_when_asked_for() -> None:
    assert mg.nn.Linear and mg.optim.SGD and mg.viz and mg.utils and "nn" in dir(mg)
    assert mg.relu(mg.tensor([-1.0, 1.0])).tolist() == [0, 1]
    x = mg.ones(2)
    assert mg.exp_(x) is x
    with pytest.raises(AttributeError, match="module 'minigrad' has no attribute 'no_such_name'"):
        mg.no_such_name  # noqa: B018


def test_default_device() -> None:
    with standin.DEVICE:
        assert mg.zeros(2).device == mg.tensor([1]).device == mg.arange(3).device == standin.DEVICE
        assert mg.get_default_device() == standin.DEVICE
    assert mg.zeros(2).device == mg.device("cpu")
    mg.set_default_device(standin.DEVICE)
    try:
        assert mg.ones(2).device == standin.DEVICE
    finally:
        mg.set_default_device(None)


def test_cuda_can_be_asked_about_anywhere() -> None:
    assert mg.cuda.device_count() == 0 or mg.cuda.is_available()
    mg.cuda.empty_cache()
    mg.cuda.manual_seed_all(1)


# ---------------------------------------------------------------------------------------------------- NumPy's functions

def test_a_ufunc_is_the_operation_of_its_name_and_is_recorded() -> None:
    x = mg.tensor([1., 4.], requires_grad=True)
    y = np.sqrt(x)
    assert isinstance(y, mg.Tensor) and y.grad_fn.name() == "SqrtBackward0"
    y.sum().backward()
    assert x.grad.tolist() == [0.5, 0.25]
    assert np.equal(x, np.array([1., 0.])).tolist() == [True, False]
    assert np.power(x.detach(), 2).tolist() == [1., 16.]


def test_arrays_and_numpy_numbers_on_the_left_give_tensors() -> None:
    x = mg.tensor([1., 4.], requires_grad=True)
    for y, values in ((np.ones(2) * x, [1., 4.]), (np.ones(2) - x, [0., -3.]), (np.float64(2) / x, [2., 0.5]),
                      (np.ones(2) / x, [1., 0.25]), (np.full(2, 2.) ** x, [2., 16.])):
        assert y.requires_grad and y.tolist() == values
    assert (np.float64(2) * x).dtype is mg.float32 and (np.ones(2) * x).dtype is mg.float64


def test_ufuncs_without_a_counterpart_compute_on_arrays() -> None:
    x = mg.tensor([1.5, 2.5])
    assert np.rint(x).tolist() == [2., 2.] and np.add.reduce(x).item() == 4
    assert [part.tolist() for part in np.divmod(x, 1)] == [[1., 2.], [0.5, 0.5]]
    array = np.ones(2, np.float32)
    array += x
    assert array.tolist() == [2.5, 3.5]
    assert np.exp(mg.zeros(2), out=x) is x and x.tolist() == [1., 1.]
    with pytest.raises(RuntimeError, match=r"requires grad. Use tensor.detach\(\).numpy\(\)"):
        np.rint(mg.ones(2, requires_grad=True))


# ---------------------------------------------------------------------------------------------------- numbers a dtype cannot hold

def test_a_number_that_does_not_fit_is_refused_with_the_range() -> None:
    with pytest.raises(RuntimeError, match="cannot be converted to minigrad.uint8 without overflow: 300; it holds 0 to 255"):
        mg.full((2,), 300, dtype=mg.uint8)
    with pytest.raises(RuntimeError, match="full_like: .* it holds -128 to 127"):
        mg.full_like(mg.zeros(2, dtype=mg.int8), 128)
    with pytest.raises(RuntimeError, match="full: value .*: inf"):
        mg.full((2,), math.inf, dtype=mg.int64)
    with pytest.raises(RuntimeError, match="fill: value cannot be converted without overflow: .*300"):
        mg.fill(mg.zeros(2, dtype=mg.uint8), 300)
    assert mg.full((1,), -1, dtype=mg.uint8).tolist() == [255] and mg.full((1,), 2.7, dtype=mg.int64).tolist() == [2]


def test_booleans_and_complex_numbers_have_no_rounded_quotient() -> None:
    for divide in (mg.floor_divide, mg.remainder, mg.fmod):
        for x in (mg.tensor([True]), mg.tensor([1j])):
            with pytest.raises(RuntimeError, match=f"{divide.__name__}: not implemented for"):
                divide(x, x)


def test_assigning_to_a_part_of_a_leaf_names_the_assignment() -> None:
    x = mg.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match=r"setitem: a view of a leaf Variable .* x\[index\] = value; write under"):
        x[0] = 1


@pytest.mark.parametrize("name", ["max", "min", "std", "var", "flatten", "exp", "sum"])
def test_a_list_in_place_of_a_tensor_is_refused_by_name(name: str) -> None:
    with pytest.raises(TypeError, match=rf"{name}\(\): argument 'input' must be a Tensor, not list; minigrad.tensor"):
        getattr(mg, name)([1., 2.])


@pytest.mark.parametrize("device", ["gpu", "float32"])
def test_a_device_nobody_knows_is_not_taken_for_a_gpu(device: str) -> None:
    with pytest.raises(RuntimeError, match=f"Expected one of cpu, .*device type at start of device string: {device}"):
        mg.ones(2).to(device)


def test_storage_is_the_memory_as_a_row_of_elements() -> None:
    x = mg.arange(6.).reshape(2, 3)
    storage = x[1].storage()
    assert storage.tolist() == [0., 1., 2., 3., 4., 5.]
    assert (len(storage), storage.element_size(), storage.nbytes()) == (6, 4, 24)
    assert storage == x.t().storage() != x.clone().storage()
    assert storage.dtype is mg.float32 and storage.device == mg.device("cpu")
    storage[4] = 9.
    assert x.tolist() == [[0., 1., 2.], [3., 9., 5.]] and storage[4] == 9. and storage[:2] == [0., 1.]
    assert storage.data_ptr() == x.data_ptr() == storage.untyped().data_ptr() and len({storage, x.storage()}) == 1
    assert storage.fill_(2.) is storage and x.eq(2.).all() and "dtype=minigrad.float32" in repr(storage)
    assert mg.is_storage(storage) and mg.is_storage(storage.untyped()) and not mg.is_storage(x)
    assert mg.tensor([], dtype=mg.complex64).storage().data_ptr() is not None


def test_set_lays_a_tensor_into_other_memory() -> None:
    x, memory = mg.zeros(2), mg.arange(6.)
    assert x.set_(memory.storage(), 1, (2, 2), (2, 1)) is x and x.tolist() == [[1., 2.], [3., 4.]]
    x.zero_()
    assert memory.tolist() == [0., 0., 0., 0., 0., 5.]
    assert x.set_(memory).is_set_to(memory) and x.set_(memory.untyped_storage()).shape == (6,)
    assert x.set_(memory, 3, (3,)).tolist() == [0., 0., 5.]
    assert x.set_(memory, 0, (0, 2)).shape == (0, 2) and x.set_().shape == (0,)
    with pytest.raises(RuntimeError, match="expected memory of the dtype minigrad.float32, got minigrad.int64"):
        x.set_(mg.arange(3))
    with pytest.raises(ValueError, match="does not lie within"):
        x.set_(memory, 3, (9,))
    with pytest.raises(RuntimeError, match="a tensor that requires grad keeps its memory"):
        mg.ones(2, requires_grad=True).set_(memory)


def test_map_calls_python_for_each_element() -> None:
    x, y = mg.arange(4.).reshape(2, 2), mg.tensor([1., 2.])
    assert x.clone().map_(y, lambda a, b: a * b).tolist() == [[0., 2.], [2., 6.]]
    assert x.clone().map2_(x, y, lambda a, b, c: a + b * c).tolist() == [[0., 3.], [4., 9.]]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        mg.ones(2, requires_grad=True).map_(y, max)


def test_limits_are_equal_where_the_dtypes_are() -> None:
    assert mg.finfo(mg.float32) == mg.finfo(mg.float32) != mg.finfo(mg.float64) and mg.iinfo(mg.int8) == mg.iinfo(mg.int8)
    assert len({mg.finfo(), mg.finfo(mg.float32), mg.iinfo(mg.int8), mg.iinfo(mg.uint8)}) == 3


def test_a_size_is_made_of_whole_numbers() -> None:
    for sizes in ([1, 2.], (x for x in (1.,))):
        with pytest.raises(TypeError, match=r"Size\(\) takes an iterable of 'int' \(item . is 'float'\)"):
            mg.Size(sizes)
