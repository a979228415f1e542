"""Real CuPy on a real GPU against NumPy: every operation of the table, every layer and loss, training. Skipped without one.

The kernels have their own tests there too (``tests/test_kernels.py``). Run them alone with ``pytest -m gpu``.
"""

from __future__ import annotations

from typing import Any, Callable, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad import _arrays
from minigrad.errors import DeviceError
from tests import checks, standin, test_nn_on_device, test_op_table, test_standin
from tests.op_cases import OpCase

pytestmark = pytest.mark.gpu
CUDA = _arrays.Device("cuda")


def require() -> Any:
    """CuPy's library; skips the test where CuPy or a GPU is missing, and says which."""
    if standin.REAL:
        pytest.skip("CuPy's arrays go by the stand-in's name in this run")
    try:
        return _arrays.library_on(CUDA)
    except DeviceError as error:
        pytest.skip(str(error))


@pytest.fixture(autouse=True)
def library() -> Iterator[Any]:
    """CuPy's library, exact: PyTorch's convolutions round float32 to TF32 if nothing else is said."""
    with mg.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield require()


def to_cuda(x: Any) -> Any:
    return _arrays.to_device(x, CUDA) if isinstance(x, np.ndarray) else x


@pytest.mark.parametrize("name", test_op_table.NAMES)
def test_operation(name: str) -> None:
    """The results and gradients of the table's samples are NumPy's, and stay on the GPU."""
    def check(op: Any, case: OpCase, sample: Any) -> None:
        if not case.host_only:
            checks.check_elsewhere(op, case, sample, to_cuda)

    test_op_table.for_samples(name, check, edges=True)


@pytest.mark.parametrize("name", test_nn_on_device.LAYERS)
def test_layer(name: str) -> None:
    make, arguments = test_nn_on_device.LAYERS[name]
    module, args = make().double(), arguments()
    here, there = test_nn_on_device.run(module, args, "cpu"), test_nn_on_device.run(module, args, "cuda:0")
    assert len(here) == len(there)
    for a, b in zip(here, there):
        np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-11)


def test_a_network_trains_the_same() -> None:
    assert test_standin.trained("cuda:0") == pytest.approx(test_standin.trained("cpu"), rel=1e-3)


def test_a_hundred_steps_of_a_convolutional_network() -> None:
    """The losses agree to 1e-3 over a hundred steps in float32."""
    losses = []
    for device in ("cpu", "cuda"):
        mg.manual_seed(0)
        nn = mg.nn
        net = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(),
                            nn.MaxPool2d(2), nn.Flatten(), nn.Linear(400, 84), nn.ReLU(), nn.Linear(84, 10))
        data, target = mg.randn(32, 1, 28, 28), mg.randint(0, 10, (32,))
        net, data, target = net.to(device), data.to(device), target.to(device)
        optimizer = mg.optim.SGD(net.parameters(), lr=0.02, momentum=0.9)
        found = []
        for _ in range(100):
            optimizer.zero_grad()
            loss = mg.nn.functional.cross_entropy(net(data), target)
            loss.backward()
            optimizer.step()
            found.append(loss.detach())
        losses.append([loss.item() for loss in found])
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex64", "complex128"])
def test_products_of_matrices(dtype: str) -> None:
    a, b = mg.randn(65, 33).to(getattr(mg, dtype)), mg.randn(33, 17).to(getattr(mg, dtype))
    found, expected = (a.to("cuda") @ b.to("cuda")).cpu().numpy(), (a @ b).numpy()
    assert found.dtype == expected.dtype
    tolerance = 2e-2 if dtype == "float16" else 1e-4
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def test_tf32_rounds_and_can_be_switched_off() -> None:
    a = mg.randn(256, 256, dtype=mg.float64)
    exact = (a @ a).numpy()

    def error() -> float:
        x = a.float().to("cuda")
        return float(np.abs((x @ x).cpu().numpy() - exact).max())

    usual = error()
    try:
        mg.backends.cuda.matmul.allow_tf32 = True
        rounded = error()
    finally:
        mg.backends.cuda.matmul.allow_tf32 = False
    assert usual < 1e-3 and rounded < 1.0 and error() == pytest.approx(usual, rel=0.5)


@pytest.mark.parametrize("benchmark", [False, True])
@pytest.mark.parametrize("deterministic", [False, True])
@pytest.mark.parametrize(("dtype", "tolerance"), [("float16", 2e-2), ("float32", 1e-4), ("float64", 1e-10)])
def test_cudnn_convolves_as_products_of_matrices_do(library: Any, dtype: str, tolerance: float, benchmark: bool,
                                                    deterministic: bool) -> None:
    if not mg.backends.cudnn.is_available():
        pytest.skip("cuDNN's Python package is not installed here; install it with pip install -e '.[cudnn12]' (or 13)")
    functional, kind = mg.nn.functional, getattr(mg, dtype)
    cases: list[tuple[Any, Any, Any, dict[str, Any]]] = [
        (functional.conv1d, (4, 6, 33), (8, 3, 5), {"stride": 2, "padding": 2, "groups": 2}),
        (functional.conv2d, (4, 3, 28, 28), (6, 3, 5, 5), {"padding": "same"}),
        (functional.conv2d, (2, 8, 17, 16), (8, 1, 2, 4), {"padding": "same", "groups": 8}),
        (functional.conv2d, (2, 3, 20, 21), (4, 3, 3, 3), {"stride": (2, 3), "padding": (1, 0), "dilation": (1, 2)}),
        (functional.conv3d, (2, 2, 6, 7, 8), (4, 2, 3, 3, 3), {"padding": 1}),
        (functional.conv_transpose2d, (2, 4, 7, 7), (4, 3, 4, 4), {"stride": 2, "padding": 1, "output_padding": 1})]
    for function, shape, kernel, settings in cases:
        found = []
        for enabled in (False, True):
            mg.manual_seed(0)
            inputs = [(mg.randn(*s, dtype=mg.float64) / n ** 0.5).to(kind).to("cuda").requires_grad_()
                      for s, n in ((shape, 1), (kernel, mg.Size(kernel[1:]).numel()))]
            with mg.backends.cudnn.flags(enabled, benchmark, 10, deterministic, False):
                out = function(*inputs, **settings)
                out.sin().sum().backward()
            found.append([t.detach().cpu().numpy().astype(np.float64) for t in (out, *[t.grad for t in inputs])])
        for composed, by_cudnn in zip(*found):
            np.testing.assert_allclose(by_cudnn, composed, rtol=tolerance, atol=tolerance * np.abs(composed).max())
    plans = [plan for sessions in library.kernels.cudnn._idle.values() for s in sessions for plan in s._plans.values()]
    assert plans and None not in plans


def test_sums_at_places_of_every_type() -> None:
    for dtype in ("int8", "uint8", "int16", "int32", "int64", "float16", "float32", "float64", "complex64", "complex128"):
        kind = getattr(mg, dtype)
        made = [mg.zeros(3, dtype=kind, device=device).index_add(0, mg.tensor([2, 0, 2], device=device),
                                                                 mg.tensor([1, 2, 3], device=device).to(kind)).tolist()
                for device in ("cpu", "cuda")]
        assert made[0] == made[1], dtype


@pytest.mark.parametrize("make", [
    lambda device: mg.arange(0, 10, 3, device=device), lambda device: mg.linspace(0, 1, 5, device=device),
    lambda device: mg.eye(3, device=device), lambda device: mg.full((2,), 7, device=device),
    lambda device: mg.tensor([[1, 2], [3, 4]], device=device).flip(0), lambda device: mg.ones(2, 2, device=device).tril()])
def test_creation(make: Callable[[str], Any]) -> None:
    there = make("cuda")
    assert there.device.type == "cuda" and there.tolist() == make("cpu").tolist()


def test_random_numbers_are_repeatable_and_look_random() -> None:
    mg.manual_seed(3)
    first = mg.randn(10000, device="cuda")
    mg.manual_seed(3)
    assert (mg.randn(10000, device="cuda") == first).all()
    assert abs(first.mean().item()) < 0.05 and abs(first.std().item() - 1) < 0.05


def test_indices_out_of_bounds_raise() -> None:
    x = mg.ones(3, device="cuda")
    with pytest.raises(IndexError, match="out of bounds"):
        x[mg.tensor([5], device="cuda")]


def test_factorizations_that_fail_raise() -> None:
    a = mg.tensor([[1.0, 2.0], [2.0, 4.0]], device="cuda")
    for compute in (mg.linalg.inv, lambda a: mg.linalg.solve(a, a), lambda a: mg.linalg.cholesky(-a)):
        for batch in (a, a.expand(2, 2, 2)):
            with pytest.raises(mg.linalg.LinAlgError):
                compute(batch)
    assert mg.linalg.inv_ex(a[None]).info.tolist() == [2]


def test_in_place_views_and_writes() -> None:
    x = mg.zeros(3, 4, device="cuda")
    x[1, ::2] = 5.0
    x.t()[0] += 1.0
    assert x.tolist() == [[1, 0, 0, 0], [6, 0, 5, 0], [1, 0, 0, 0]]


def test_numpys_arrays_and_mixed_devices_are_refused() -> None:
    with pytest.raises(RuntimeError, match="same device"):
        mg.ones(2) * mg.ones(2, device="cuda")
    with pytest.raises(TypeError, match=r"cpu\(\)"):
        mg.ones(2, device="cuda").numpy()
