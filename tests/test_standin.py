"""The stand-in for CuPy is as strict as CuPy, and what users do on a device works on it from end to end."""

from __future__ import annotations

import copy
import pickle
import weakref
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import _arrays
from tests.standin import SURFACE, compute_types, ndarray, of_itself, to_standin, xp


@pytest.fixture
def x() -> Any:
    return to_standin(np.arange(6.0).reshape(2, 3))


REFUSED: dict[str, Callable[[Any], Any]] = {
    "implicit conversion": lambda x: np.asarray(x),
    "a NumPy array on the right": lambda x: x + np.ones(3),
    "a NumPy array on the left": lambda x: np.ones(3) + x,
    "a NumPy array in a ufunc": lambda x: np.maximum(x, np.ones(3)),
    "a NumPy array in a function": lambda x: np.where(x > 0, x, np.ones(3)),
    "a NumPy array in a list": lambda x: np.concatenate([x, np.ones((1, 3))]),
    "a NumPy array as an index": lambda x: x[np.array([0])],
    "a NumPy array assigned": lambda x: x.__setitem__(0, np.ones(3)),
    "a NumPy array as out": lambda x: np.exp(x, out=np.empty((2, 3))),
    "a ufunc's method": lambda x: np.add.reduce(x),
    "a ufunc's at": lambda x: np.add.at(x, 0, 1.0),
    "where= of a ufunc": lambda x: np.exp(x, where=x > 0),
    "where= of a sum": lambda x: np.sum(x, where=x > 0),
    "initial= of a max": lambda x: np.max(x, initial=0.0),
    "a function CuPy lacks": lambda x: np.insert(x, 0, 0.0),
    "a keyword CuPy lacks": lambda x: np.sort(x, stable=True),
    "the truth of several": lambda x: bool(x),
    "an integer by index protocol": lambda x: range(to_standin(np.array(3))),
    "a method CuPy lacks": lambda x: x.tostring(),
    "hashing": lambda x: hash(x),
    "types a ufunc lacks": lambda x: np.logical_not(x.astype(complex)),
    "types an operator lacks": lambda x: x.astype(complex) // 2,
}


@of_itself
@pytest.mark.parametrize("what", REFUSED)
def test_refused(what: str, x: Any) -> None:
    with pytest.raises((TypeError, ValueError, AttributeError)):
        REFUSED[what](x)


def test_nothing_is_offered_that_cupy_lacks() -> None:
    offered = {n for n in dir(ndarray) if not n.startswith("__") and n not in ("_host", "_gpu")}
    assert offered <= {*SURFACE["methods"], *SURFACE["attributes"]}
    assert not hasattr(xp, "insert") and not hasattr(xp, "errstate")
    assert not hasattr(xp.random.Generator(xp.random.Philox4x3210(0)), "permutation")


def test_zero_dimensional_results_are_arrays(x: Any) -> None:
    for found in (x.sum(), np.sum(x), x[0, 0], np.max(x), x[0] @ x[0], np.linalg.norm(x)):
        assert isinstance(found, ndarray) and found.ndim == 0


def test_views_know_their_base(x: Any) -> None:
    assert x.base is None and x[0].base is x and x[0][1:].base is x and x.T.base is x and x.reshape(3, 2).base is x
    assert np.broadcast_to(x, (4, 2, 3)).base is x and x.copy().base is None and (x + 0).base is None
    weakref.ref(x)
    x[0][...] = 7.0
    assert float(x.sum()) == 33.0


def test_copies_and_pickles(x: Any) -> None:
    for other in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert isinstance(other, ndarray) and (other.get() == x.get()).all() and other is not x


def test_the_library_moves_arrays_there_and_back(x: Any) -> None:
    host = _arrays.to_numpy(x)
    assert type(host) is np.ndarray and str(_arrays.device_of(x)) == "standin:0"
    back = _arrays.to_device(host, _arrays.Device("standin"))
    host[...] = 0
    assert float(back.sum()) == 15.0, "moved arrays must not share memory"


def test_operands_on_two_devices_are_refused() -> None:
    a, b = mg.ones(2), mg.ones(2, device="standin")
    with pytest.raises(RuntimeError, match=r"mul: expected all tensors on the same device.*cpu.*standin.*\.to\("):
        a * b
    with pytest.raises(RuntimeError, match="same device"):
        mg.cat([a, b])


def test_a_tensor_moves_with_its_gradient() -> None:
    t = mg.tensor([1.0, 2.0], requires_grad=True)
    moved = t.to("standin")
    assert str(moved.device) == "standin:0" and isinstance(moved.array, ndarray)
    (moved * moved).sum().backward()
    assert t.grad.tolist() == [2.0, 4.0] and type(t.grad.array) is np.ndarray
    assert moved.cpu().tolist() == moved.tolist() == [1.0, 2.0] and moved.sum().item() == 3.0
    with pytest.raises(TypeError, match="Tensor.cpu|cpu()"):
        moved.detach().numpy()


def test_a_tensor_prints_where_it_is() -> None:
    assert repr(mg.tensor([1.0, 2.0], device="standin")) == "tensor([1., 2.], device='standin:0')"


def test_creation_on_the_device() -> None:
    for made in (mg.zeros(2, device="standin"), mg.arange(3, device="standin"), mg.full((2,), 3.0, device="standin"),
                 mg.rand(2, 3, device="standin"), mg.randn(2, 3, device="standin"), mg.eye(3, device="standin"),
                 mg.tensor([[1, 2]], device="standin"), mg.linspace(0, 1, 3, device="standin"),
                 mg.randint(0, 9, (3,), device="standin"), mg.zeros_like(mg.ones(2, device="standin"))):
        assert isinstance(made.array, ndarray), made


def test_indexing_on_the_device() -> None:
    t = mg.arange(12.0, device="standin").reshape(3, 4).requires_grad_()
    i = mg.tensor([0, 2], device="standin")
    out = t[i] + t[:, 1:3].sum() + t[t > 5].sum() + t[..., None][0, 0] + t.gather(1, i[:, None])
    out.sum().backward()
    host = t.detach().cpu().requires_grad_()
    j = i.cpu()
    want = host[j] + host[:, 1:3].sum() + host[host > 5].sum() + host[..., None][0, 0] + host.gather(1, j[:, None])
    want.sum().backward()
    assert out.tolist() == want.tolist() and t.grad.tolist() == host.grad.tolist()
    u = mg.zeros(3, 4, device="standin")
    u[1, ::2] = 5.0
    u[i] = mg.ones(4, device="standin")
    u[u == 0] = -1.0
    assert u.tolist() == [[1, 1, 1, 1], [5, -1, 5, -1], [1, 1, 1, 1]]


def trained(device: str) -> list[float]:
    """The losses of a small convolutional network on `device`, of the same start and data everywhere."""
    mg.manual_seed(0)
    net = mg.nn.Sequential(
        mg.nn.Conv2d(1, 4, 3, padding=1), mg.nn.BatchNorm2d(4), mg.nn.ReLU(), mg.nn.MaxPool2d(2), mg.nn.Flatten(),
        mg.nn.Linear(64, 16), mg.nn.LayerNorm(16), mg.nn.GELU(), mg.nn.Linear(16, 3))
    data, target = mg.randn(12, 1, 8, 8), mg.randint(0, 3, (12,))
    net, data, target = net.to(device), data.to(device), target.to(device)
    optimizer = mg.optim.AdamW(net.parameters(), lr=0.01)
    losses = []
    for _ in range(5):
        optimizer.zero_grad()
        loss = mg.nn.functional.cross_entropy(net(data), target)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert all(str(p.device) == device and str(p.grad.device) == device for p in net.parameters())
    return losses


def test_a_network_trains_the_same_on_the_device() -> None:
    here = trained("cpu")
    assert trained("standin:0") == pytest.approx(here, rel=1e-4)
    assert here[-1] < here[0]


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Adadelta", "Adamax", "NAdam", "RAdam", "Rprop"])
def test_optimizers_on_the_device(name: str) -> None:
    if not hasattr(mg.optim, name):
        pytest.skip(f"there is no optimizer {name}")
    weights = []
    for device in ("cpu", "standin:0"):
        w = mg.nn.Parameter(mg.linspace(-1, 1, 6).reshape(2, 3).to(device))
        optimizer = getattr(mg.optim, name)([w], lr=0.1)
        for _ in range(4):
            optimizer.zero_grad()
            (w * w * w.exp()).sum().backward()
            optimizer.step()
        assert str(w.device) == device
        weights.append(w.detach().cpu().numpy())
    np.testing.assert_allclose(weights[1], weights[0], rtol=1e-5, atol=1e-6)


def test_state_dicts_cross_devices() -> None:
    net = mg.nn.Linear(2, 2).to("standin")
    other = mg.nn.Linear(2, 2)
    other.load_state_dict(net.state_dict())
    assert other.weight.tolist() == net.weight.tolist() and str(other.weight.device) == "cpu"


@of_itself
def test_the_precision_of_products_is_pytorchs_switch() -> None:
    try:
        assert mg.get_float32_matmul_precision() == "highest" and not mg.backends.cuda.matmul.allow_tf32
        mg.backends.cuda.matmul.allow_tf32 = True
        assert mg.get_float32_matmul_precision() == "high" and compute_types[np.dtype(np.float32)] == 7
        mg.set_float32_matmul_precision("highest")
        assert not mg.backends.cuda.matmul.allow_tf32 and compute_types[np.dtype(np.float32)] == 1
        mg.set_float32_matmul_precision("medium")
        assert mg.backends.cuda.matmul.allow_tf32 and compute_types[np.dtype(np.float32)] == 7
    finally:
        mg.set_float32_matmul_precision("highest")
    with pytest.raises(ValueError, match="'highest', 'high' or 'medium', got 'low'"):
        mg.set_float32_matmul_precision("low")
    assert not mg.backends.mps.is_available()


@of_itself
def test_indices_out_of_bounds_wrap_around_and_the_first_of_two_values_written_stays(x: Any) -> None:
    """As on a GPU, which cannot raise from a kernel; so the package must look at the indices itself, and it does."""
    i, j = to_standin(np.array([5, -7, 0])), to_standin(np.array([[4, 3]]))
    assert x[:, i].get().tolist() == [[2.0, 2.0, 0.0], [5.0, 5.0, 3.0]] == x.take(i, axis=1).get().tolist()
    assert x[..., i].get().tolist() == np.take(x, i, axis=1).get().tolist() and x[None, i].shape == (1, 3, 3)
    assert np.take_along_axis(x, j, axis=1).get().tolist() == [[1.0, 0.0], [4.0, 3.0]]
    assert x[[3]].get().tolist() == [[3.0, 4.0, 5.0]]
    y = x.copy()
    y[0, i] = to_standin(np.array([10.0, 20.0, 30.0]))
    assert y.get().tolist() == [[30.0, 1.0, 10.0], [3.0, 4.0, 5.0]]
    with pytest.raises(IndexError):
        x[2]
    t = mg.ones(3, device="standin")
    for bad in ([3], [-4]):
        with pytest.raises(IndexError, match="out of bounds"):
            t[mg.tensor(bad, device="standin")]
        with pytest.raises((IndexError, RuntimeError), match="out of"):
            t.index_select(0, mg.tensor(bad, device="standin"))
        with pytest.raises((IndexError, RuntimeError), match="out of"):
            t.gather(0, mg.tensor(bad, device="standin"))
        with pytest.raises((IndexError, RuntimeError), match="out of"):
            mg.nn.functional.embedding(mg.tensor(bad, device="standin"), t[:, None])


def test_sums_at_places_are_of_the_types_that_cuda_adds_atomically() -> None:
    places = to_standin(np.array([0, 0]))
    for dtype in "?", "i1", "i8", "f4", "c8":
        a, values = to_standin(np.zeros(2, dtype)), to_standin(np.ones(2, dtype))
        _arrays.library_of(a).index_add(a, (places,), values)
        assert a.get()[0] == np.ones(2, dtype).sum(dtype=dtype)
    with pytest.raises(TypeError, match="add.at only supports"):
        xp.add.at(to_standin(np.zeros(2, np.int16)), places, to_standin(np.ones(2, np.int16)))


def test_factorizations_that_fail_raise() -> None:
    """CuPy gives NaN unless it is told to look: nothing is silently wrong."""
    singular = to_standin(np.array([[1.0, 2.0], [2.0, 4.0]]))
    assert not np.isfinite(np.linalg.inv(singular).get()).any()
    for compute in (mg.linalg.inv, lambda a: mg.linalg.solve(a, a), lambda a: mg.linalg.cholesky(-a)):
        with pytest.raises(mg.linalg.LinAlgError):
            compute(mg.tensor([[1.0, 2.0], [2.0, 4.0]], device="standin"))
    assert mg.linalg.inv_ex(mg.tensor([[[1.0, 2.0], [2.0, 4.0]]], device="standin")).info.tolist() == [2]


def test_gradients_are_checked_on_the_device() -> None:
    x = mg.randn(2, 3, dtype=mg.float64, device="standin:1", requires_grad=True)
    layer = mg.nn.Linear(3, 2, dtype=mg.float64, device="standin:1")
    assert mg.autograd.gradcheck(lambda t: layer(t).tanh(), x) and mg.autograd.gradgradcheck(lambda t: layer(t).tanh(), x)
    with pytest.raises(RuntimeError, match="wrong factor: backward is 0.5 times"):
        mg.autograd.gradcheck(lambda t: t * t.detach(), x)


def test_softmax_of_no_dimension() -> None:
    for dtype in (mg.float16, mg.float32, mg.float64):
        for dim in (0, -1):
            t = mg.tensor(2.0, dtype=dtype, device="standin", requires_grad=True)
            out = mg.softmax(t, dim) + mg.log_softmax(t, dim)
            out.backward()
            assert out.item() == 1.0 and t.grad.item() == 0.0


def test_results_have_the_types_of_cupys_ufuncs(x: Any) -> None:
    assert np.conj(x > 0).dtype == np.int8 and np.floor(x.astype(np.int8)).dtype == np.int8
    assert (x.astype(np.float32) * 2).dtype == (2 + x.astype(np.float32)).dtype == np.float32
    assert np.sqrt(x.astype(np.int8)).dtype == np.float16 and (x.astype(np.uint8) / 2).dtype == np.float64


@of_itself
def test_a_copy_that_does_not_block_arrives_when_the_device_is_waited_for() -> None:
    t = mg.arange(3.0, device="standin")
    there = t.to("cpu", non_blocking=True)
    t += 1.0  # the copy comes first in the queue
    assert there.tolist() != [0.0, 1.0, 2.0], "read too early"
    _arrays.library_on(_arrays.Device("standin")).gpus.synchronize(0)
    assert there.tolist() == [0.0, 1.0, 2.0] and t.cpu().tolist() == t.tolist() == [1.0, 2.0, 3.0]
    assert t.to("cpu").tolist() == t.numpy(force=True).tolist() and t.sum().item() == 6.0, "all others wait by themselves"
