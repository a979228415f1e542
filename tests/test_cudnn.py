"""Convolutions by cuDNN are those by products of matrices: with a stand-in for its package, on the stand-in for CuPy."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad import _arrays, nn
from minigrad._arrays import cudnn
from minigrad._arrays.kernels import CudaKernels
from minigrad.nn import functional
from minigrad.recording.call import REGISTRY
from tests import checks, cudnn_plans, cudnn_surface, fake_cuda, fake_cudnn, host_kernels, standin, test_op_table, test_standin
from tests.test_nn_on_device import LAYERS, run

pytestmark = standin.of_itself
OPERATIONS = ["convolution", "convolution_transpose", "convolution_weight"]


@pytest.fixture(autouse=True)
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[cudnn.Cudnn]:
    """cuDNN on the stand-in, with PyTorch's switches but exact."""
    if not host_kernels.COMPILER:
        pytest.skip("what cuDNN cannot do is left to kernels, which need a C++ compiler, g++ or clang++")
    kernels = CudaKernels(standin.xp)
    found = vars(kernels)["cudnn"] = cudnn.Cudnn(fake_cudnn.module(), standin.xp)
    monkeypatch.setattr(_arrays.library_on(standin.DEVICE), "kernels", kernels)
    monkeypatch.setattr(cudnn, "module", fake_cudnn.module)
    fake_cudnn.executed.clear()
    with mg.backends.cudnn.flags(enabled=True, allow_tf32=False):
        yield found


def kinds() -> set[str]:
    return {kind for kind, _ in fake_cudnn.executed}


def numbers() -> list[int]:
    return [index for _, index in fake_cudnn.executed]


# ---------------------------------------------------------------------------------------------------- every convolution

@pytest.mark.parametrize("name", OPERATIONS)
def test_operations_and_their_gradients(name: str) -> None:
    test_op_table.for_samples(name, lambda op, case, sample: checks.check_elsewhere(op, case, sample, standin.to_standin), True)
    assert kinds() == {"conv_fprop", "conv_dgrad", "conv_wgrad"}


@pytest.mark.parametrize("name", OPERATIONS)
def test_second_derivatives(name: str) -> None:
    """Of each sample the gradients of all inputs, and the gradients of these gradients."""
    def check(op: Any, case: Any, sample: Any) -> None:
        args, settings = sample
        found: list[list[Any]] = []
        for device in ("cpu", "standin"):
            inputs = [mg.tensor(a, requires_grad=True, device=device) for a in args if a is not None]
            out = op(*inputs, **settings)
            first = mg.autograd.grad((out * out).sum(), inputs, create_graph=True)
            second = mg.autograd.grad(sum((g * g).sum() for g in first), inputs)
            found.append([t.detach().cpu().numpy() for t in (out, *first, *second)])
        for here, there in zip(*found):
            np.testing.assert_allclose(there, here, rtol=1e-9, atol=1e-9)

    test_op_table.for_samples(name, check)
    assert kinds() == {"conv_fprop", "conv_dgrad", "conv_wgrad"}


@pytest.mark.parametrize("name", [name for name in LAYERS if "Conv" in name])
def test_layers(name: str) -> None:
    make, arguments = LAYERS[name]
    module, args = make().double(), arguments()
    here, there = run(module, args, "cpu"), run(module, args, "standin:0")
    assert len(here) == len(there) and kinds() == {"conv_fprop", "conv_dgrad", "conv_wgrad"}
    for a, b in zip(here, there):
        np.testing.assert_allclose(b, a, rtol=1e-9, atol=1e-11)


def both(function: Any, *shapes: tuple[int, ...], dtype: Any = mg.float64) -> Any:
    """`function` of random tensors has the same result and gradients here and there; gives the result there."""
    found, out = [], None
    for device in ("cpu", "standin"):
        mg.manual_seed(0)
        inputs = [mg.randn(*shape).to(dtype).to(device).requires_grad_() for shape in shapes]
        out = function(*inputs)
        (out * mg.linspace(-1, 1, out.numel(), device=device).reshape(out.shape).to(dtype)).sum().backward()
        found.append([t.detach().cpu().numpy() for t in (out, *[t.grad for t in inputs])])
    for here, there in zip(*found):
        assert here.dtype == there.dtype
        tolerance = 40 * np.finfo(here.dtype).eps
        np.testing.assert_allclose(there, here, rtol=tolerance, atol=tolerance * max(1, np.abs(here).max()))
    return out


@pytest.mark.parametrize("dtype", [mg.float16, mg.float32, mg.float64])
def test_types(dtype: Any) -> None:
    both(lambda x, w, b: functional.conv2d(x, w, b, padding=1), (2, 3, 5, 4), (4, 3, 3, 2), (4,), dtype=dtype)
    assert kinds() == {"conv_fprop", "conv_dgrad", "conv_wgrad"}


@pytest.mark.parametrize(("padding", "kernel"), [("same", 3), ("same", 4), ("valid", 2), (2, 3), (3, 2)])
def test_padding(padding: Any, kernel: int) -> None:
    """Also more zeros behind than in front, which an even kernel needs."""
    both(lambda x, w: functional.conv1d(x, w, padding=padding), (2, 2, 6), (4, 2, kernel))
    assert fake_cudnn.executed


@pytest.mark.parametrize("output_padding", [0, 1, 2])
@pytest.mark.parametrize(("stride", "dilation"), [(3, 1), (3, 2), (1, 3)])
def test_transposed(output_padding: int, stride: int, dilation: int) -> None:
    """The output's size is meant where several would fit; with a dilation above the stride even one that crops."""
    both(lambda x, w, b: functional.conv_transpose2d(x, w, b, stride=stride, padding=1, output_padding=output_padding,
                                                     dilation=dilation, groups=2), (2, 4, 3, 3), (4, 3, 2, 3), (6,))


@pytest.mark.parametrize(("pair", "step", "zeros"), [
    ((0, 0), 1, 0), ((1, 1), 1, 1), ((1, 0), 2, 1), ((1, -1), 3, 1), ((0, -1), 2, 0), ((1, 2), 1, 2), ((1, -1), 2, 0),
    ((2, 4), 3, 4), ((0, -1), 1, -1), ((1, -3), 2, -2)])
def test_zeros_behind(pair: tuple[int, int], step: int, zeros: int) -> None:
    """As many as in front where that gives the same number of positions; below zero only where there may be no more."""
    assert cudnn.zeros_after(pair, step) == zeros
    assert pair[1] <= zeros < pair[1] + step


def test_what_is_not_contiguous_or_not_aligned() -> None:
    weight = (4, 3, 2, 2)
    out = both(lambda x, w: functional.conv2d(x.transpose(1, 3), w), (2, 5, 4, 3), weight)
    assert out.is_contiguous()
    both(lambda x, w: functional.conv2d(x[1:], w), (3, 3, 5, 5), weight, dtype=mg.float32)
    both(lambda x, w: functional.conv2d(x[:, :, ::2], w.expand(weight)), (2, 3, 8, 5), (4, 3, 1, 1))
    both(lambda x, w: functional.conv1d(x.flatten()[1:].reshape(1, 1, -1), w), (4, 4), (2, 1, 3), dtype=mg.float32)
    assert len(fake_cudnn.executed) == 4 * 3


def test_a_network_trains_the_same() -> None:
    assert test_standin.trained("standin:0") == pytest.approx(test_standin.trained("cpu"), rel=1e-4)
    assert kinds() == {"conv_fprop", "conv_wgrad"}


# ---------------------------------------------------------------------------------------------------- what it leaves alone

def test_what_cudnn_cannot_do_is_composed() -> None:
    x = mg.randn(1, 1, 4, 4, dtype=mg.complex64, device="standin")
    assert functional.conv2d(x, x[..., :2, :2]).shape == (1, 1, 3, 3)
    assert functional.conv2d(mg.ones(0, 1, 4, 4, device="standin"), mg.ones(1, 1, 2, 2, device="standin")).shape == (0, 1, 3, 3)
    assert not fake_cudnn.executed


def test_where_cudnn_has_no_plan_it_is_composed(session: cudnn.Cudnn) -> None:
    """The stand-in has none for kernels of more than a hundred; that is asked once."""
    for _ in range(2):
        out = functional.conv1d(mg.ones(1, 1, 104, device="standin"), mg.ones(1, 1, 101, device="standin"))
        assert out.tolist() == [[[101.0] * 4]]
    assert not fake_cudnn.executed and list(session._idle[0][0]._plans.values()) == [None]


def test_an_error_of_cudnn_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Any) -> None:
        raise RuntimeError("CUDNN_STATUS_BAD_PARAM")

    monkeypatch.setattr(fake_cudnn.pygraph, "build_operation_graph", fail)
    with pytest.raises(RuntimeError, match="BAD_PARAM"):
        convolve()


# ---------------------------------------------------------------------------------------------------- switches

def convolve(size: int = 4, dtype: Any = mg.float32, device: str = "standin") -> Any:
    mg.manual_seed(0)
    return functional.conv1d(mg.rand(1, 2, size, dtype=dtype).to(device), mg.rand(1, 2, 3, dtype=dtype).to(device))


def test_disabled() -> None:
    with mg.backends.cudnn.flags(enabled=False):
        expected = convolve()
    assert not fake_cudnn.executed
    assert mg.allclose(convolve(), expected) and fake_cudnn.executed


def test_tf32() -> None:
    """The stand-in's first plan rounds as TF32 does, and its second is exact."""
    exact = convolve().cpu()
    mg.backends.cudnn.allow_tf32 = True
    rounded = convolve().cpu()
    assert numbers() == [1, 0]
    assert 1e-5 < (rounded - exact).abs().max() / exact.abs().max() < 1e-2
    assert mg.allclose(exact, convolve(device="cpu"))
    convolve(dtype=mg.float64)
    mg.backends.cudnn.allow_tf32 = False
    convolve(dtype=mg.float64)
    convolve(dtype=mg.float16)
    assert numbers()[2:] == [0, 0, 1], "float64 is never rounded to TF32; float16 is computed in float32, and not rounded either"


def test_deterministic() -> None:
    """The stand-in's second plan is marked as not deterministic, its third wants more memory than there may be."""
    mg.backends.cudnn.deterministic = True
    convolve()
    mg.backends.cudnn.deterministic = False
    mg.use_deterministic_algorithms(True)
    try:
        convolve()
    finally:
        mg.use_deterministic_algorithms(False)
    convolve()
    assert numbers() == [3, 3, 1]


@pytest.mark.parametrize(("limit", "tried"), [(10, [1, 3, 4]), (0, [1, 3, 4]), (2, [1, 3]), (1, [])])
def test_benchmark(limit: int, tried: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([3.0, 2.0, 1.0])
    monkeypatch.setattr(fake_cuda.cuda, "get_elapsed_time", lambda start, end: next(times))
    with mg.backends.cudnn.flags(enabled=True, benchmark=True, benchmark_limit=limit, allow_tf32=False):
        convolve()
        convolve()
    chosen = (tried or [1])[-1]
    assert numbers() == [index for index in tried for _ in range(2)] + [chosen] * 2


def test_the_switches_are_attributes_of_the_module() -> None:
    module = mg.backends.cudnn
    with module.flags():
        assert [module.enabled, module.benchmark, module.benchmark_limit, module.deterministic, module.allow_tf32] == [
            False, False, 10, False, True]
        module.benchmark = True
        assert cudnn.switches.benchmark and "benchmark" in dir(module)
    assert module.enabled and not module.benchmark
    assert not hasattr(module, "nothing")
    assert vars(cudnn.Switches()) == {"enabled": True, "benchmark": False, "benchmark_limit": 10, "deterministic": False,
                                      "allow_tf32": True}


def test_whether_it_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    assert mg.backends.cudnn.is_available() and mg.backends.cudnn.version() == 92800
    monkeypatch.undo()
    for failure in (ImportError("No module named 'cudnn'"), OSError("libcudnn.so: cannot open"),
                    RuntimeError("Unable to find symbol cudnnGetVersion")):
        def fail(name: str, failure: Exception = failure) -> None:
            assert name == "cudnn"
            raise failure

        monkeypatch.setattr(cudnn.importlib, "import_module", fail)
        cudnn.module.cache_clear()
        assert not mg.backends.cudnn.is_available() and mg.backends.cudnn.version() is None
        assert CudaKernels(standin.xp).cudnn is None
    cudnn.module.cache_clear()


# ---------------------------------------------------------------------------------------------------- plans, GPUs, threads

def test_plans_are_kept(session: cudnn.Cudnn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cudnn, "KEPT", 3)
    for size in (4, 5, 4, 6, 5, 7, 4):
        convolve(size)
    (only,) = session._idle[0]
    assert [geometry.x[-1] for geometry, *_ in only._plans] == [6, 7, 4], "the oldest goes first"
    kept = dict(only._plans)
    convolve(6)
    assert only._plans == kept


def test_every_gpu_has_its_own_session(session: cudnn.Cudnn) -> None:
    for device in ("standin:0", "standin:2", "standin:1", "standin:2"):
        with fake_cuda.nothing_changes():
            assert convolve(device=device).device == mg.device(device)
    assert {gpu: [s._handle.gpu for s in idle] for gpu, idle in session._idle.items()} == {0: [0], 1: [1], 2: [2]}


def test_two_threads_never_share_a_session(session: cudnn.Cudnn) -> None:
    meet, failures = threading.Barrier(2), []
    run = cudnn.Session.execute

    def together(self: Any, *args: Any) -> None:
        meet.wait(600)  # only where they do share one does anything wait so long
        run(self, *args)

    def work() -> None:
        try:
            convolve()
        except BaseException as error:
            failures.append(error)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cudnn.Session, "execute", together)
        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not failures and len(session._idle[0]) == 2
    convolve()
    assert len(session._idle[0]) == 2, "idle sessions serve again"


def test_the_current_stream_is_used() -> None:
    """The stand-in refuses a handle on another stream than the current one."""
    convolve()
    with fake_cuda.Stream():
        convolve()
    convolve()
    assert len(fake_cudnn.executed) == 3


def test_data_parallel() -> None:
    net = nn.Conv2d(2, 3, 3, padding=1).double()
    x = mg.randn(6, 2, 4, 4, dtype=mg.float64)
    expected = net(x)
    expected.square().sum().backward()
    want = net.weight.grad.clone()
    net = net.to("standin")
    net.zero_grad()
    out = nn.DataParallel(net, device_ids=["standin", "standin:1", "standin:2"])(x.to("standin"))
    out.square().sum().backward()
    assert mg.allclose(out.cpu(), expected) and mg.allclose(net.weight.grad.cpu(), want)
    assert len(fake_cudnn.executed) == 6


# ---------------------------------------------------------------------------------------------------- the real package

def real() -> Any:
    return pytest.importorskip("cudnn", reason="needs nvidia-cudnn-frontend")


def test_the_surface_is_that_of_the_package() -> None:
    """What the stand-in asks of its callers is what the package takes, whichever release of it is installed."""
    module, surface = real(), cudnn_surface.load()
    for name in ("create_handle", "set_stream", "backend_version"):
        assert callable(getattr(module, name))
    for name, used in {"data_type": ("HALF", "FLOAT", "DOUBLE"), "heur_mode": ("A", "FALLBACK"),
                       "numerical_note": ("NONDETERMINISTIC", "TENSOR_CORE", "DOWN_CONVERT_INPUTS")}.items():
        assert set(used) <= set(surface["enums"][name]) & set(getattr(module, name).__members__)
    for name in vars(fake_cudnn.pygraph):
        assert name.startswith("_") or name == "part" or hasattr(module.pygraph, name)
    if surface["source"].startswith(f"nvidia-cudnn-frontend {module.__version__},"):
        found = cudnn_surface.read()
        assert {**found, "source": ""} == {**surface, "source": ""}


def test_cudnn_has_a_plan_for_every_convolution(tmp_path: Path) -> None:
    """Of the operation table, in each type; and refuses what does not fit, so that its yes means something."""
    real()
    found: set[cudnn.Geometry] = set()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cudnn.Session, "plan", lambda self, geometry: found.add(geometry))
        for name in OPERATIONS:
            test_op_table.for_samples(name, lambda op, case, sample: checks.check_elsewhere(op, case, sample, standin.to_standin))
    assert len(found) > 50
    geometries = [geometry._replace(dtype=dtype) for geometry in found for dtype in cudnn.KINDS]
    assert not cudnn_plans.refused(geometries, tmp_path)
    wrong = geometries[0]._replace(y=(*geometries[0].y[:-1], geometries[0].y[-1] + 1))
    assert len(cudnn_plans.refused([wrong], tmp_path)) == 2 * len(cudnn_plans.GPUS)


def test_every_operation_of_the_file_is_tested() -> None:
    assert [n for n in REGISTRY if n.startswith("convolution")] == OPERATIONS
