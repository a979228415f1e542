"""The CUDA kernels compute what the compositions of NumPy's functions do, and nvcc compiles them."""

from __future__ import annotations

import itertools
import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import _arrays
from minigrad._arrays import cudnn
from minigrad._arrays.kernels import BLOCK, C_TYPES, ELEMENTWISE, ROWWISE, STEPS, CudaKernels, Kernels, row_source, threads_for
from tests import host_kernels, standin, test_gpu

NVCC = shutil.which("nvcc")
needs_compiler = pytest.mark.skipif(not host_kernels.COMPILER, reason="needs a C++ compiler, g++ or clang++")
needs_nvcc = pytest.mark.skipif(not NVCC, reason="needs nvcc, the compiler of the CUDA toolkit")


def complete(name: str, dtype: str) -> str:
    """The source of a kernel as something that nvcc takes: CuPy writes the loop around the elementwise ones."""
    if name in ROWWISE:
        return row_source(name, dtype)
    kernel = ELEMENTWISE[name]
    inputs, outputs = host_kernels.parameters(kernel.inputs), host_kernels.parameters(kernel.outputs)
    signature = ", ".join(f"{p.c_type(dtype)}* _{p.name}" for p in inputs + outputs)
    return (f"extern \"C\" __global__ void minigrad_{name}(long long size, {signature}) {{\n"
            "const long long step = 1LL * blockDim.x * gridDim.x;\n"
            "for (long long i = 1LL * blockIdx.x * blockDim.x + threadIdx.x; i < size; i += step) {\n"
            f"{host_kernels.elementwise_body(inputs, outputs, kernel.body, dtype)}\n}} }}\n")


@needs_nvcc
def test_nvcc_compiles_every_kernel(tmp_path: Path) -> None:
    kinds = list(C_TYPES)
    for k, dtype in enumerate(kinds):
        sources = {name: complete(name, dtype) for name in [*ELEMENTWISE, *ROWWISE]}
        # One file of one namespace each: starting nvcc takes longer than compiling.
        code = "\n".join(f"namespace n{k}_{name} {{\n{source}\n}}" for name, source in sources.items())
        (tmp_path / f"{dtype}.cu").write_text(code)
        done = subprocess.run([str(NVCC), "-ptx", "-arch=sm_75", "-std=c++17", "-Werror", "all-warnings", "-o",
                               str(tmp_path / f"{dtype}.ptx"), str(tmp_path / f"{dtype}.cu")], capture_output=True, text=True)
        assert not done.returncode, done.stderr
        ptx = (tmp_path / f"{dtype}.ptx").read_text()
        assert all(f".entry minigrad_{name}" in ptx or f".entry {name}" in ptx for name in sources)


# ---------------------------------------------------------------------------------------------------- the rows' arithmetic

@pytest.fixture(params=[np.float32, np.float64])
def dtype(request: Any) -> Any:
    return request.param


def random(*shape: int, dtype: Any) -> Any:
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("n", [1, 3, 4096])
def test_number_of_threads_is_a_power_of_two(n: int) -> None:
    threads = threads_for(n)
    assert 32 <= threads <= BLOCK and threads & threads - 1 == 0


@needs_compiler
@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize("name", [name for name in ROWWISE if name not in STEPS])
def test_rows_by_one_and_by_several_threads(name: str, threads: int, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Eight real threads share a row of thirteen elements, with real barriers between them."""
    monkeypatch.setattr(host_kernels.RawKernel, "threads", threads)
    kernel = host_kernels.RawKernel(row_source(name, np.dtype(dtype).name), name)
    x, g = random(3, 13, dtype=dtype), random(3, 13, dtype=dtype)[::-1].copy()
    out, tolerance = np.empty_like(x), 20 * np.finfo(dtype).eps

    def run(*args: Any) -> None:
        kernel((3,), (threads,), args)

    for flag in (0, 1):
        if name == "softmax":
            run(x, out, 13, flag)
            e = np.exp(x - x.max(1, keepdims=True))
            want = e / e.sum(1, keepdims=True)
            want = np.log(want) if flag else want
        elif name == "softmax_slope":
            run(g, x, out, 13, flag)
            want = g - np.exp(x) * g.sum(1, keepdims=True) if flag else g * x - x * (g * x).sum(1, keepdims=True)
        elif name.startswith("cross_entropy"):
            target, found, loss, soft = np.array([12, 0, 5]), np.zeros(3, np.int64), np.empty(3, dtype), np.empty_like(x)
            e, counts = np.exp(x - x.max(1, keepdims=True)), np.array([[1.0], [1.0 - flag], [1.0]])
            if name == "cross_entropy":
                run(x, target, loss, soft, found, 13, 0 if flag else -100)
                out, want = loss, -np.log((e / e.sum(1, keepdims=True))[np.arange(3), target]) * counts[:, 0]
                np.testing.assert_allclose(soft, e / e.sum(1, keepdims=True), rtol=tolerance)
                assert found.tolist() == [3 - flag, 0, 0]
                run(x, np.array([12, 13, 5]), np.empty(3, dtype), soft, found, 13, -100)
                assert found[1:].tolist() == [1, 13]
            else:
                each = np.array([2.0, -1.0, 0.5], dtype)
                grad = each[1:2] if flag else each
                run(grad, x, target, np.array(3 - flag), out, 13, 0 if flag else -100, 1 - flag, flag)
                want = (x - np.eye(13)[target]) * (counts / counts.sum() if flag else counts) * grad[:, None]
        elif name == "standardize":
            mean, var, w, b = np.empty((1, 3, 1), dtype), np.empty((1, 3, 1), dtype), x[0], g[0]
            run(x, w, b, out, mean, var, 1, 3, 13, 13, 1, 1e-5, flag, 1, flag)
            d = x - x.mean(1, keepdims=True) if flag else x
            want = d / np.sqrt((d * d).mean(1, keepdims=True) + 1e-5) * w + b * flag
            np.testing.assert_allclose(mean[0], x.mean(1, keepdims=True) * flag, atol=tolerance)
            np.testing.assert_allclose(var[0], (d * d).mean(1, keepdims=True), rtol=tolerance)
        else:
            mean, var = np.array([[[0.5], [1.0], [-1.0]]], dtype), np.array([[[1.0], [2.0], [3.0]]], dtype)
            w, products = x[0] if flag else np.ones(13, dtype), np.empty_like(x)
            run(g, x, mean, var, w, out, products, 1, 3, 13, 13, 1, 1e-5, flag, flag, 1)
            rstd = 1 / np.sqrt(var[0] + 1e-5)
            s, h = (x - mean[0] * flag) * rstd, g * w
            np.testing.assert_allclose(products, g * s, rtol=10 * tolerance, atol=10 * tolerance)
            want = rstd * (h - h.mean(1, keepdims=True) * flag - s * (h * s).mean(1, keepdims=True))
        np.testing.assert_allclose(out, want, rtol=10 * tolerance, atol=10 * tolerance)


# ---------------------------------------------------------------------------------------------------- against the compositions

@pytest.fixture(params=["kernels", "compositions", pytest.param("gpu", marks=pytest.mark.gpu)])
def way(request: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """With the kernels as C++ on the stand-in, with the compositions there, and with the kernels on a GPU: the device's name."""
    if request.param == "gpu":
        test_gpu.require()
        monkeypatch.setattr(cudnn.switches, "enabled", False)
        return "cuda"
    library: Any = _arrays.library_on(standin.DEVICE)
    if request.param == "compositions":
        monkeypatch.setattr(library, "kernels", Kernels())
    elif not host_kernels.COMPILER:
        pytest.skip("needs a C++ compiler, g++ or clang++")
    else:
        assert isinstance(library.kernels, CudaKernels)
    return "standin"


def both(way: str, function: Any, *arrays: Any) -> None:
    """`function` of tensors gives the same results and gradients here and on the device `way`."""
    found = []
    for move in (lambda x: x, lambda x: _arrays.to_device(x, _arrays.Device(way))):
        tensors = []
        for array in arrays:
            t = mg.tensor(0.0, requires_grad=array.dtype.kind == "f")
            t.array = move(array)
            tensors.append(t)
        out = function(*tensors)
        weight = mg.linspace(-1, 1, out.numel(), dtype=mg.float64).reshape(out.shape).to(out.device)
        if out.requires_grad:
            (out * weight.to(out.dtype)).sum().backward()
        found.append([out.detach().cpu().numpy(), *[t.grad.cpu().numpy() for t in tensors if t.grad is not None]])
    assert len(found[0]) == len(found[1])
    for here, there in zip(*found):
        assert here.dtype == there.dtype
        tolerance = 200 * np.finfo(here.dtype).eps if here.dtype.kind == "f" else 0
        np.testing.assert_allclose(there, here, rtol=tolerance, atol=tolerance)


def test_gelu(way: str, dtype: Any) -> None:
    both(way, lambda x: mg.nn.functional.gelu(x), 3 * random(40, dtype=dtype))
    both(way, lambda x: mg.nn.functional.gelu(x.T), random(3, 5, dtype=dtype))
    both(way, lambda x: mg.nn.functional.gelu(x), np.zeros((0, 3), dtype))


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax(way: str, name: str, dim: int, dtype: Any) -> None:
    both(way, lambda x: getattr(mg, name)(x, dim), random(3, 5, dtype=dtype))
    both(way, lambda x: getattr(mg, name)(x.T, dim), random(3, 5, dtype=dtype))
    both(way, lambda x: getattr(mg, name)(x, 0), random(4, dtype=dtype))
    both(way, lambda x: getattr(mg, name)(x, dim), np.zeros((0, 3), dtype))


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("ignored", [-100, 3])
def test_cross_entropy(way: str, reduction: str, ignored: int, dtype: Any) -> None:
    x, target = random(7, 5, dtype=dtype), np.array([0, 4, 3, ignored, 2, 2, ignored])
    both(way, lambda t, k: mg.nn.functional.cross_entropy(t, k, ignore_index=ignored, reduction=reduction), x, target)


def test_cross_entropy_of_nothing_and_of_a_class_that_is_not_there(way: str) -> None:
    x = mg.zeros(2, 3, device=way, requires_grad=True)
    loss = mg.nn.functional.cross_entropy(x, mg.tensor([-100, -100], device=way))
    loss.backward()
    assert math.isnan(loss.item()) and x.grad.tolist() == [[0.0] * 3] * 2
    for wrong in (3, -1):
        with pytest.raises(IndexError, match=rf"Target {wrong} is out of bounds: with input of shape \[2, 3\]"):
            mg.nn.functional.cross_entropy(x, mg.tensor([1, wrong], device=way))


def test_softmax_of_infinities(way: str, dtype: Any) -> None:
    x = np.array([[0, 1, np.inf], [0, -np.inf, 1], [-np.inf] * 3, [np.nan, 1, 2], [1, np.nan, 2]], dtype)
    both(way, lambda t: mg.softmax(t, 1).detach(), x)
    both(way, lambda t: mg.log_softmax(t, 1).detach(), x)


def test_normalizations(way: str, dtype: Any) -> None:
    functional = mg.nn.functional
    both(way, lambda x, w, b: functional.layer_norm(x, (5,), w, b), random(3, 5, dtype=dtype), random(5, dtype=dtype),
         random(5, dtype=dtype))
    both(way, lambda x: functional.layer_norm(x.permute(2, 1, 0), (3, 4)), random(4, 3, 2, dtype=dtype).T.copy().T)
    both(way, lambda x, w: functional.rms_norm(x, (5,), w), random(3, 5, dtype=dtype), random(5, dtype=dtype))
    both(way, lambda x, b: functional.layer_norm(x, (5,), None, b), random(3, 5, dtype=dtype), random(5, dtype=dtype))
    for x, norm in ((random(3, 4, 5, dtype=dtype), lambda x, *wb: functional.batch_norm(x, None, None, *wb, training=True)),
                    (random(6, 4, dtype=dtype), lambda x, *wb: functional.batch_norm(x, None, None, *wb, training=True)),
                    (random(3, 4, 5, dtype=dtype), lambda x, *wb: functional.instance_norm(x, None, None, *wb)),
                    (random(3, 4, 5, dtype=dtype), lambda x, *wb: functional.group_norm(x, 2, *wb))):
        both(way, norm, x)
        both(way, norm, x, random(4, dtype=dtype), random(4, dtype=dtype)[::-1])


@pytest.mark.parametrize(("ndim", "kernel", "stride", "padding", "dilation"), [
    (1, 3, 2, 1, 1), (2, 2, 2, 0, 1), (2, (3, 2), (1, 2), (1, 0), (2, 1)), (3, 2, 1, 1, 1)])
def test_max_pooling(way: str, ndim: int, kernel: Any, stride: Any, padding: Any, dilation: Any, dtype: Any) -> None:
    pool = getattr(mg.nn.functional, f"max_pool{ndim}d")
    x = random(2, 3, *[7, 6, 5][:ndim], dtype=dtype).round(0)  # so that there are equal maxima
    for ceil_mode, places in itertools.product((False, True), repeat=2):
        settings = (kernel, stride, padding, dilation, ceil_mode)
        both(way, lambda t, s=settings, p=places: pool(t, *s, p)[1] if p else pool(t, *s), x)
    x[..., ::3] = np.nan
    both(way, lambda t: pool(t, kernel, stride, padding, dilation, False, True)[1], x)
    both(way, lambda t: pool(t, kernel, stride, padding, dilation).detach(), x)
    both(way, lambda t: pool(t, kernel, stride, padding, dilation), np.full_like(x, -np.inf))


@pytest.mark.parametrize(("ndim", "stride", "padding", "dilation"), [
    (1, 2, 1, 1), (2, 1, 0, 1), (2, 1, 2, 1), (2, (1, 2), (1, 0), (2, 1)), (2, 3, 0, 1), (3, 1, 1, 1)])
def test_convolution(way: str, ndim: int, stride: Any, padding: Any, dilation: Any, dtype: Any) -> None:
    functional, kernel, size = mg.nn.functional, [3, 2, 2][:ndim], [7, 6, 5][:ndim]
    conv, transposed = getattr(functional, f"conv{ndim}d"), getattr(functional, f"conv_transpose{ndim}d")
    x, w, b = random(2, 4, *size, dtype=dtype), random(6, 2, *kernel, dtype=dtype), random(6, dtype=dtype)
    both(way, lambda x, w, b: conv(x, w, b, stride, padding, dilation, 2), x, w, b)
    both(way, lambda x, w: conv(x.transpose(-1, 0).transpose(0, -1), w, None, stride, padding, dilation, 2), x, w)
    both(way, lambda x, w: transposed(x, w, None, stride, padding, 0, 2, dilation), random(2, 6, *size, dtype=dtype), w)


@pytest.mark.parametrize("settings", [
    {}, {"weight_decay": 0.1}, {"amsgrad": True}, {"maximize": True}, {"weight_decay": 0.1, "decoupled_weight_decay": True}])
def test_adam(way: str, settings: dict[str, Any], dtype: Any) -> None:
    steps(way, "Adam", settings, dtype)


@pytest.mark.parametrize("settings", [
    {}, {"weight_decay": 0.1}, {"momentum": 0.9}, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    {"momentum": 0.9, "dampening": 0.5, "maximize": True}])
def test_sgd(way: str, settings: dict[str, Any], dtype: Any) -> None:
    steps(way, "SGD", settings, dtype)


def steps(way: str, name: str, settings: dict[str, Any], dtype: Any) -> None:
    """Three steps move parameters and state alike here and there, and a gradient's memory layout does not matter."""
    found = []
    for device in ("cpu", way):
        p = mg.nn.Parameter(mg.tensor(random(3, 4, dtype=dtype)).to(device))
        optimizer = getattr(mg.optim, name)([p], lr=0.1, **settings)
        for k in range(3):
            p.grad = mg.tensor(random(4, 3, dtype=dtype) * (k - 1)).to(device).T
            optimizer.step()
        state = [v.cpu().numpy() for v in optimizer.state[p].values() if isinstance(v, mg.Tensor)]
        found.append([p.detach().cpu().numpy(), *state])
    assert len(found[0]) == len(found[1])
    for here, there in zip(*found):
        np.testing.assert_allclose(there, here, rtol=20 * np.finfo(dtype).eps, atol=20 * np.finfo(dtype).eps)


@pytest.mark.parametrize("name", ["Adam", "SGD"])
def test_steps_of_many_tensors(way: str, name: str, dtype: Any) -> None:
    """Of any size, some without a gradient, of two groups, with states of different ages."""
    sizes = ((1,), (5, 1000), (9001,), (0,), (3,))
    found = []
    for device in ("cpu", way):
        parts = [mg.nn.Parameter(mg.tensor(random(*size, dtype=dtype)).to(device)) for size in sizes]
        optimizer = getattr(mg.optim, name)([{"params": parts[:3]}, {"params": parts[3:], "lr": 0.5}], lr=0.1, weight_decay=0.1)
        for k in range(3):
            for p in parts[k % 2:]:
                p.grad = mg.tensor(random(*p.shape, dtype=dtype) * (k + 1)).to(device)
            optimizer.step()
        found.append([p.detach().cpu().numpy() for p in parts])
    for here, there in zip(*found):
        np.testing.assert_allclose(there, here, rtol=20 * np.finfo(dtype).eps, atol=20 * np.finfo(dtype).eps)


def test_dropout_mask(way: str, dtype: Any) -> None:
    x = mg.ones(50, 40, dtype=mg.float64 if dtype is np.float64 else mg.float32).to(way)
    dropped = mg.nn.functional.dropout(x, 0.25)
    values = dropped.cpu().numpy()
    assert values.dtype == dtype and set(np.unique(values)) == {0, dtype(1 / 0.75)} and 0.7 < (values > 0).mean() < 0.8
    assert not mg.nn.functional.dropout(x, 1.0).any()
