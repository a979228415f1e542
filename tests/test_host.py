"""The kernels that numba compiles: each against what the operation is composed of, and threads, forks and files around them."""

from __future__ import annotations

import ast
import contextlib
import functools
import itertools
import os
import re
import shutil
import time
from pathlib import Path
from typing import Any, Callable, Iterator, NamedTuple

import numpy as np
import pytest

import minigrad as mg
from minigrad import _settings
from minigrad._arrays import host
from minigrad._arrays.kernels import Kernels
from minigrad.recording.call import REGISTRY
from tests import test_environments as environments
from tests.op_cases.neural import convolution as convolutions
from tests.test_interrupts import interrupt_at

numba = pytest.importorskip("numba", reason="needs numba, the extra 'fast'")

from minigrad._arrays.host import (  # noqa: E402
    compiling,
    convolution,
    elementary,
    kernels,
    products,
    threads,
    tiles,
)
from minigrad._arrays.host import recurrent as recurrent_kernels  # noqa: E402

functional = mg.nn.functional


# ---------------------------------------------------------------------------------------------------- elementary functions

class Elementary(NamedTuple):
    """A function, its value in more digits, where it is tested, and its greatest error, in units of the last place."""

    function: Callable[[Any], Any]
    exact: Callable[[Any], Any]
    low: tuple[float, float]
    high: tuple[float, float]
    ulp: float


FUNCTIONS = [
    Elementary(elementary.exp, np.exp, (-87, -708), (88.5, 709), 1.1),
    Elementary(recurrent_kernels.sigmoid, lambda x: 1 / (1 + np.exp(-x)), (-87, -708), (90, 710), 3),
    Elementary(recurrent_kernels.tanh, np.tanh, (-10, -20), (10, 20), 3),
]
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-30, -1e-30, 1e-4, -80.0, 80.0, -200.0, 200.0, -2000.0, 2000.0]


def applied(function: Callable[[Any], Any]) -> Callable[..., None]:
    @compiling.part
    def each(x: Any, y: Any) -> None:
        for k in range(x.size):
            y[k] = function(x[k])
    return each


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", FUNCTIONS, ids=lambda case: case.function.__name__)
def test_elementary_functions(case: Elementary, dtype: Any) -> None:
    wide = dtype is np.float64
    if wide and np.finfo(np.longdouble).nmant <= 52:
        pytest.skip("needs a long double of more digits than a double has")
    x = np.concatenate([np.linspace(case.low[wide], case.high[wide], 100003), np.linspace(-3, 3, 100003)]).astype(dtype)
    y, each = np.empty_like(x), applied(case.function)
    each(x, y)
    want = case.exact(x.astype(np.longdouble))
    assert (np.abs(y - want) <= case.ulp * np.spacing(np.abs(want).astype(dtype))).all()
    x = np.array(SPECIAL, dtype)
    y = np.empty_like(x)
    each(x, y)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(y, case.exact(x), rtol=10 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_greatest(dtype: Any) -> None:
    @compiling.part
    def greatest(x: Any) -> Any:
        return elementary.greatest(x)
    rng = np.random.default_rng(0)
    for values in ([-0.0], [-np.inf, -np.inf], [np.inf, 1], [-3, -2, -5], [0, -1e-40], *rng.standard_normal((20, 77)) - 3):
        assert greatest(np.array(values, dtype)) == np.max(np.array(values, dtype))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("depth", "columns"), [(1, 1), (37, 64), (5, 70), (130, 200)])
def test_packed_products(depth: int, columns: int, dtype: Any) -> None:
    weight = random(depth, columns).astype(dtype)
    panels = products.pack(weight)
    np.testing.assert_array_equal(products.pack(np.asfortranarray(weight)), panels)
    np.testing.assert_array_equal(products.pack(np.repeat(weight, 2, axis=1)[:, ::2]), panels)
    for rows in range(1, 10):
        a = random(rows, 2 * depth).astype(dtype)[:, depth:]  # of which the rows do not touch
        out = np.full((rows, products.padded(columns, dtype)), np.nan, dtype)
        products.product(a, panels, out)
        np.testing.assert_allclose(out[:, :columns], a @ weight, rtol=0, atol=30 * np.finfo(dtype).eps * depth ** 0.5)


# ---------------------------------------------------------------------------------------------------- kernels and compositions

def random(*shape: int) -> Any:
    return np.random.default_rng(sum(shape)).standard_normal(shape)


class Case(NamedTuple):
    """A function of tensors whose operations ask for the kernels named; arrays for it; and how far results may be from those of
    the composition in float64, in units of the precision of the type, for numbers of the size of the greatest or of 1."""

    kernels: str
    function: Callable[..., Any]
    arrays: tuple[Any, ...]
    ulp: float = 8
    single: bool = False  # whether there are kernels for float32 alone


def batch_norm(x: Any, *weights: Any) -> Any:
    return functional.batch_norm(x, None, None, *weights, training=True)


def group_norm(x: Any, *weights: Any) -> Any:
    return functional.group_norm(x, 2, *weights)


def layer_norm(x: Any, *weights: Any) -> Any:
    return functional.layer_norm(x, x.shape[1:], *weights)


def rms_norm(x: Any, *weights: Any) -> Any:
    return functional.rms_norm(x, x.shape[1:], *weights)


def attention(q: Any, k: Any, v: Any, *mask: Any, **settings: Any) -> Any:
    return functional.scaled_dot_product_attention(q, k, v, *mask, **settings)


def dropout(x: Any) -> Any:
    mg.manual_seed(0)
    return functional.dropout(x, 0.3)


def leaky_relu(x: Any) -> Any:
    return functional.leaky_relu(x, 0.2)


ALLOWED = mg.tensor(np.arange(63).reshape(7, 9) % 3 > np.arange(7)[:, None] % 4)  # three rows see nothing
ENDS = np.array([[-np.inf, np.inf, np.nan, -0.0, 0.0, -100, 100]])


def recurrent(kind: str, shape: tuple[int, ...], batch_sizes: Any = None, reverse: Any = False, bias: Any = True) -> Case:
    """A layer on data of this shape; its results but for those that only nodes keep."""
    name, gates = kind.partition("_")[0], {"rnn": 1, "gru": 3, "lstm": 4}[kind.partition("_")[0]]
    size, sequences = shape[-1], batch_sizes[0] if batch_sizes else shape[1]
    states = [random(sequences, size)] * (2 if name == "lstm" else 1)
    arrays = [random(*shape[:-1], gates * size), *states, random(gates * size, size) / size ** 0.5]

    def run(*tensors: Any) -> Any:
        return tuple(REGISTRY[f"{kind}_layer"](*tensors, batch_sizes=batch_sizes, reverse=reverse))[:1 + len(states)]

    return Case(f"{name} {name}_backward", run, (*arrays, *([random(gates * size)] if bias else [])), ulp=60)


LAYERS: list[tuple[Any, ...]] = [
    ((4, 1, 3),), ((6, 7, 5), None, True), ((40, 33, 20), None, False, False), ((10, 17), (4, 2, 2, 1, 1)),
    ((10, 17), (3, 3, 3, 1), True)]
PRODUCTS: list[tuple[Any, Any]] = [
    (mg.matmul, (random(70, 300), random(300, 64))), (mg.matmul, (random(300, 130).T, random(300, 100))),
    (functional.linear, (random(67, 600), random(90, 600))), (functional.linear, (random(3, 40, 129), random(200, 129))),
    (mg.matmul, (np.where(random(70, 300) > 4, np.nan, random(70, 300)), random(300, 64)))]
HOLES = np.array([[0, 1, np.inf], [0, -np.inf, 1], [-np.inf] * 3, [np.nan, 1, 2], [1, np.nan, 2], [1, 2, -np.nan], [3, 3, 3]])


def conv(stride: int = 1, padding: int = 0, dilation: int = 1, groups: int = 1) -> Callable[..., Any]:
    def convolve(x: Any, weight: Any, bias: Any = None) -> Any:
        function = getattr(functional, f"conv{weight.ndim - 2}d")
        return function(x, weight, bias, stride, padding, dilation, groups)
    return convolve


CASES = [
    *[Case("multiply", *case) for case in PRODUCTS],
    *[Case("each", function, (x,), ulp, single) for function, ulp, single in [
        (mg.sigmoid, 2, False), (functional.silu, 4, False), (functional.gelu, 4, True), (leaky_relu, 1, False),
        (functional.relu, 1, False)]
      for x in [random(7), 3 * random(3, 40), random(2, 3, 4, 5), random(1), ENDS]],
    Case("dropout_mask", dropout, (random(50, 7),), 1),
    *[recurrent(kind, *layer) for kind, layer in itertools.product(["rnn_tanh", "rnn_relu", "gru", "lstm"], LAYERS)],
    *[Case("standardize standardize_backward", norm, (x, *weights), 40)
      for x, of_a_channel, of_each in [
          (random(3, 4, 5, 7), random(2, 4), random(2, 4, 5, 7)), (2 + random(30, 4, 20), random(2, 4), random(2, 4, 20)),
          (np.where(random(5, 4, 33) > 2.2, np.nan, random(5, 4, 33)), random(2, 4), random(2, 4, 33)),
          (np.where(random(5, 4, 33) > 2.2, np.inf, random(5, 4, 33)), random(2, 4), random(2, 4, 33)),
          (random(2, 4, 9000), random(2, 4), random(2, 4, 9000))]
      for norm, weights in [(batch_norm, of_a_channel), (batch_norm, ()), (group_norm, of_a_channel), (group_norm, ()),
                            (functional.instance_norm, ()), (layer_norm, of_each), (layer_norm, of_each[:1]), (layer_norm, ()),
                            (rms_norm, of_each[:1])]],
    *[Case("attend slope_of_scores", function, (random(*lead, 7, 5), random(*lead, 9, 5), random(*lead, 9, 3)), 20)
      for lead in [(), (2,), (2, 3), (2, 2, 3)]
      for function in [attention, functools.partial(attention, is_causal=True, scale=-0.7), lambda *x: attention(*x, ALLOWED)]],
    *[Case("softmax softmax_slope", getattr(mg, name), (x,)) for name, x in itertools.product(
        ["softmax", "log_softmax"], [random(7), random(5, 33), 20 * random(2, 3, 17), random(300, 100), random(4, 1), HOLES])],
    *[Case("convolve", conv(*settings), arrays, 200) for settings, arrays in [
        ((1, 1), (random(3, 5, 9, 11), random(6, 5, 3, 3), random(6))), ((2, 1), (random(3, 5, 9, 12), random(13, 5, 4, 4))),
        ((1, 2), (random(5, 1, 14, 14), random(6, 1, 5, 5), random(6))), ((2, 0), (random(2, 3, 9, 9), random(17, 3, 1, 1))),
        ((1, 1, 1, 4), (random(2, 4, 9, 8), random(4, 1, 3, 3))), ((1, 1, 1, 2), (random(2, 4, 9, 8), random(20, 2, 3, 3))),
        ((1, 3, 2), (random(2, 3, 12, 9), random(9, 3, 3, 4))), ((3, 2, 2), (random(2, 3, 13, 15), random(4, 3, 3, 3))),
        ((2, 3), (random(1, 3, 20, 21), random(40, 3, 7, 9))), ((1, 1), (random(11, 20, 4, 4), random(33, 20, 3, 3))),
        ((1, 2), (random(3, 4, 40), random(8, 4, 5), random(8))), ((1, 1), (random(2, 3, 4, 5, 6), random(4, 3, 3, 2, 3))),
        ((1, 1), (HOLES[None, None], random(2, 1, 3, 3)))]],
]
CASES = [case._replace(function=lambda x, f=case.function: f(x, -1)) if "softmax" in case.kernels else case for case in CASES]


def classes(n: int, count: int, *ignored: int) -> Any:
    """Numbers of classes, with the `ignored` ones first."""
    return np.array([*ignored, *np.random.default_rng(n).integers(0, count, n - len(ignored))])


CASES += [
    *[Case("cross_entropy cross_entropy_slope", functools.partial(functional.cross_entropy, **settings), (x, target))
      for x, target, settings in [
          (random(5, 33), classes(5, 33), {}), (20 * random(300, 10), classes(300, 10, -100, -100), {}),
          (random(7, 1), classes(7, 1), {"reduction": "sum"}), (random(6, 3), classes(6, 3, 2, 0), {"ignore_index": 2}),
          (random(4, 3), np.full(4, -100), {})]],
    Case("cross_entropy", functools.partial(functional.cross_entropy, reduction="none"), (HOLES, classes(7, 3, 0, 1, 2))),
    *[Case("add_rows", lambda x, index: functional.embedding(index, x), (random(*shape), classes(n, shape[0])))
      for shape, n in [((9, 5), 40), ((30, 1), 7), ((1, 70), 3)]],
    Case("add_rows", lambda x, index: x[index - 4], (random(9, 300), classes(20, 9))),
    Case("add_rows", lambda x, index, y: x.index_add(1, index, y), (random(3, 9, 40), classes(20, 9), random(3, 20, 40))),
]


class Witness(Kernels):
    """Notes which kernels gave a result."""

    def __init__(self, kernels: Any) -> None:
        self._kernels, self.applied = kernels, set[str]()

    def __getattribute__(self, name: str) -> Any:
        if name in ("_kernels", "applied"):
            return object.__getattribute__(self, name)
        method = getattr(self._kernels, name)

        def call(*args: Any) -> Any:
            found = method(*args)
            if found is not None and found is not False:
                self.applied.add(name)
            return found
        return call


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Witness:
    """The kernels, for arrays of every size."""
    witness = Witness(kernels.HostKernels())
    monkeypatch.setattr(host.switch, "_found", witness)
    monkeypatch.setattr(host.switch, "least", 0)
    return witness


def results(function: Callable[..., Any], arrays: Any) -> list[Any]:
    """What `function` gives of `arrays` as tensors, and the gradients."""
    tensors = [mg.from_numpy(array).requires_grad_(array.dtype.kind == "f") for array in arrays]
    found = function(*tensors)
    outs = [out for out in (found if isinstance(found, tuple) else (found,)) if out.requires_grad]
    weighted = [(out * mg.linspace(-1, 1, out.numel(), dtype=out.dtype).reshape(out.shape)).sum() for out in outs]
    mg.autograd.backward(weighted)
    return [*[out.detach().numpy() for out in outs], *[t.grad.numpy() for t in tensors if t.grad is not None]]


def layouts(array: Any) -> Iterator[Any]:
    """`array` in several orders in memory."""
    yield array
    yield np.asfortranarray(array)
    if array.ndim:
        yield np.repeat(array, 2, axis=-1)[..., ::2]
        yield array[..., ::-1].copy()[..., ::-1]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kernels.split()[0]}-{case.arrays[0].shape}")
def test_kernels_and_compositions_agree(case: Case, dtype: Any, witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in case.arrays]
    with mg.backends.numba.flags(enabled=False):
        expected = results(case.function, [a.astype(np.float64) if a.dtype.kind == "f" else a for a in arrays])
    assert not witness.applied
    monkeypatch.setattr(host.switch, "least", 0)
    for first in layouts(arrays[0]):
        found = results(case.function, [first, *arrays[1:]])
        assert set(case.kernels.split()) <= witness.applied or case.single and dtype is np.float64
        assert len(found) == len(expected) > 0
        for one, other in zip(found, expected):
            assert one.dtype == dtype and one.shape == other.shape
            greatest = np.abs(other[np.isfinite(other)]).max(initial=1)
            np.testing.assert_allclose(one, other, rtol=0, atol=case.ulp * np.finfo(dtype).eps * greatest)


@pytest.mark.parametrize("ndim", [1, 2, 3])
def test_convolutions_of_every_geometry(ndim: int) -> None:
    rng, computed = np.random.default_rng(ndim), 0
    for _ in range(100):
        x, w, y, _, settings = convolutions.parts(rng, ndim)
        if x.size and w.size:
            steps = settings["stride"], settings["padding"], settings["dilation"]
            for found, expected in (
                    (convolution.output(x, w, y.shape, None, *steps), convolutions.convolution(x, w, None, **settings)),
                    (convolution.gradient_of_input(x.shape, w, y, None, *steps),
                     convolutions.convolution_transpose(y, w, None, **settings)),
                    (convolution.gradient_of_weight(x, w.shape, y, *steps), convolutions.convolution_weight(x, y, **settings))):
                np.testing.assert_allclose(found, expected, atol=1e-12)
                computed += 1
    assert computed > 150


@pytest.mark.parametrize("n", [1, 2, 5])
def test_threads_share_a_convolution(n: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "GRAIN", 1)
    x, w = random(n, 4, 12, 12), random(40, 4, 3, 3)
    found = []
    for count in (1, 3):
        monkeypatch.setattr(_settings, "get_num_threads", lambda count=count: count)
        y = convolution.output(x, w, (n, 40, 10, 10), None, (1, 1), ((0, 0), (0, 0)), (1, 1))
        found.append((y, convolution.gradient_of_input(x.shape, w, y, None, (1, 1), ((0, 0), (0, 0)), (1, 1)),
                      convolution.gradient_of_weight(x, w.shape, y, (1, 1), ((0, 0), (0, 0)), (1, 1))))
    for one, other in zip(*found):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-9)


def test_depthwise_weights_are_left_to_numpy(witness: Witness) -> None:
    x, w = random(2, 4, 6, 6), random(4, 1, 3, 3)
    assert witness.convolve(x, w.shape, random(2, 4, 4, 4), None, (1, 1), ((0, 0), (0, 0)), (1, 1)) is None
    assert witness.convolve(x, w, (2, 4, 4, 4), None, (1, 1), ((0, 0), (0, 0)), (1, 1)) is not None


@pytest.mark.skipif("+avx2" not in tiles.FEATURES, reason="needs a processor that computes what others with AVX2 do")
@pytest.mark.parametrize(("features", "vector", "fast"), [("+avx,+avx2,+fma", 32, True), ("+sse4.2", 16, False)])
def test_convolutions_of_other_processors(features: str, vector: int, fast: bool) -> None:
    environments.run(f"""
import numpy as np
from minigrad._arrays.host import convolution, tiles

assert (tiles.VECTOR, convolution.FAST) == ({vector}, {fast})
rng = np.random.default_rng(0)
x, w, y = [rng.standard_normal(s).astype(np.float32) for s in ((2, 5, 9, 9), (13, 5, 3, 3), (2, 13, 5, 5))]
steps = (2, 2), ((1, 1), (1, 1)), (1, 1)
found = [(convolution.output(x, w, y.shape, None, *steps) * y).sum(),
         (convolution.gradient_of_input(x.shape, w, y, None, *steps) * x).sum(),
         (convolution.gradient_of_weight(x, w.shape, y, *steps) * w).sum()]
padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (2, 3))[:, :, ::2, ::2]
assert np.allclose(found, np.einsum("ncpqij,ocij,nopq->", windows, w, y), rtol=1e-4), found
""", NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES=features)


def test_every_kernel_has_a_case() -> None:
    tested = {name for case in CASES for name in case.kernels.split()}
    elsewhere = {"moves", "move", "moves_together", "move_together"}  # in test_host_steps.py
    assert tested == {name for name, method in vars(kernels.HostKernels).items() if callable(method)} - elsewhere


# ---------------------------------------------------------------------------------------------------- threads and processes

PROGRAM = """\
import os, signal, sys, threading, time
import numpy as np
import minigrad as mg
from minigrad._arrays.host import threads
from minigrad._arrays.host.compiling import part

mg.set_num_threads(2)
x = mg.from_numpy(np.random.default_rng(0).standard_normal((1024, 256)))


def check():
    assert np.allclose(mg.softmax(x, 1).sum(1).numpy(), 1)


def in_child(work):
    '''Runs `work` in a process that is forked now, and which must end within a minute.'''
    child = os.fork()
    if not child:
        signal.alarm(60)
        try:
            work()
        except BaseException as error:
            print(error, file=sys.stderr)
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0


check()
assert len(threads.idle) == 1
"""


def run(program: str, **environment: str) -> str:
    """What a process prints that runs ``PROGRAM`` and then `program`, and is to end within two minutes by itself."""
    return environments.run(PROGRAM + program, **environment)


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@needs_fork
def test_a_forked_process_computes_with_threads_of_its_own() -> None:
    run("in_child(check)\nin_child(lambda: in_child(check))\ncheck()")


@needs_fork
def test_forked_workers_of_a_loader_compute() -> None:
    run("""
from minigrad.utils.data import DataLoader, Dataset

class Rows(Dataset):
    def __len__(self):
        return 8
    def __getitem__(self, k):
        return mg.softmax(x, 1)[k]

loader = DataLoader(Rows(), 2, num_workers=2, multiprocessing_context="fork")
assert all([np.allclose(rows.sum(1).numpy(), 1) for rows in loader])
check()""")


@needs_fork
def test_a_process_is_forked_while_others_compile_and_compute() -> None:
    run("""
done = threading.Event()

def work():
    while not done.is_set():
        @part  # which, unlike a kernel, is compiled each time
        def new(x, y, begin, end):
            for k in range(begin, end):
                y[k] = x[k]
        y = np.empty(100000)
        threads.share(new, len(y), np.ones(len(y)), y)
        assert y.all()
        check()

others = [threading.Thread(target=work) for _ in range(2)]
for other in others:
    other.start()
for _ in range(5):
    in_child(lambda: mg.log_softmax(x.float(), 1))
    in_child(check)
done.set()
for other in others:
    other.join()""")


def test_several_threads_compute_at_once() -> None:
    run("""
failures = []

def work(k):
    y = mg.from_numpy(np.full((512, 256), float(k)))
    for _ in range(50):
        if not mg.equal(mg.softmax(y, 1), mg.full((512, 256), 1 / 256, dtype=mg.float64)):
            failures.append(k)

others = [threading.Thread(target=work, args=(k,)) for k in range(6)]
for other in others:
    other.start()
for other in others:
    other.join()
assert not failures and len(threads.idle) <= 6
check()""")


def test_threads_that_compute_do_not_keep_a_program_from_ending() -> None:
    run("""
def work():
    while True:
        check()

for _ in range(3):
    threading.Thread(target=work, daemon=True).start()
time.sleep(0.2)
print("end")""")


@needs_fork
def test_ctrl_c_is_raised_when_no_thread_writes_any_more() -> None:
    run("""
@part
def count(x, y, begin, end):
    for row in range(begin, end):
        for turn in range(3000):
            for k in range(x.shape[1]):
                y[row, k] += 1

a, y = x.numpy(), np.zeros((1024, 256), np.float32)
threads.share(count, 1024, a, y)
interrupts = 0
for delay in np.linspace(0.001, 0.2, 8):
    y[:] = 0
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, delay)
    try:
        threads.share(count, 1024, a, y)
        time.sleep(0.3)
    except KeyboardInterrupt:
        interrupts += 1
    seen = y.copy()
    time.sleep(0.1)
    assert (y == seen).all()
assert interrupts == 8
check()""")


def test_an_interrupt_at_any_line_leaves_no_part_under_way() -> None:
    """Parts that take long are seen to have ended when the exception is."""
    began: list[int] = []
    ended: list[int] = []

    def slow(x: Any, begin: int, end: int) -> None:
        began.append(begin)
        time.sleep(0.02)
        ended.append(begin)

    def program() -> None:
        began.clear()
        ended.clear()
        threads.share(slow, 3, np.empty(3 * threads.GRAIN))

    with several_threads(3):
        program()
        assert sorted(ended) == [0, 1, 2]
        lines = interrupt_at(-1, program)
        assert lines > 10
        for line in range(1, lines + 1):
            interrupt_at(line, program)
            assert sorted(began) == sorted(ended)


def test_what_a_part_raises_is_raised() -> None:
    def fail(x: Any, begin: int, end: int) -> None:
        if begin:
            raise ValueError(f"from {begin}")

    x = np.empty(4 * threads.GRAIN)
    with several_threads(4):
        for _ in range(3):
            with pytest.raises(ValueError, match="from [123]"):
                threads.share(fail, 4, x)


@contextlib.contextmanager
def several_threads(count: int) -> Iterator[None]:
    before = mg.get_num_threads()
    mg.set_num_threads(count)
    try:
        yield
    finally:
        mg.set_num_threads(before)


# ---------------------------------------------------------------------------------------------------- files of compiled kernels

COMPILED = """\
x = mg.ones(200, 100)
assert mg.allclose(mg.softmax(x, 1), mg.full((200, 100), 0.01))
from minigrad._arrays.host.softmax import softmax
print(softmax.stats.cache_hits.total(), softmax.stats.cache_misses.total())
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A copy of minigrad that nothing was compiled for."""
    shutil.copytree(Path(mg.__file__).parent, tmp_path / "minigrad", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def compiled_and_found(installed: Path, first: str = "", **environment: str) -> tuple[int, int]:
    """How many kernels a process with a program that uses one found in files, and how many it compiled."""
    told = environments.run(f"import minigrad as mg\n{COMPILED}", first=first, paths=str(installed), **environment)
    found, compiled = map(int, told.split())
    return compiled, found


def files_in(folder: Path) -> list[str]:
    return sorted([file.name for file in folder.rglob("*.kernel")])


def test_kernels_are_compiled_once_and_again_when_any_source_changes(installed: Path, tmp_path: Path) -> None:
    assert compiled_and_found(installed, HOME=str(tmp_path)) == (1, 0)
    assert [name.startswith("softmax.softmax.") for name in files_in(tmp_path)] == [True]
    source = installed / "minigrad" / "_arrays" / "host" / "elementary.py"
    for kept in tmp_path.rglob("*.kernel"):  # who compiled it is not always who uses it
        (tmp_path / "ordinary").touch()
        assert kept.stat().st_mode == (tmp_path / "ordinary").stat().st_mode
    assert compiled_and_found(installed, HOME=str(tmp_path)) == (0, 1)
    source.write_text(source.read_text(encoding="utf-8").replace("found = least", "found = least + I(0)"), encoding="utf-8")
    assert compiled_and_found(installed, HOME=str(tmp_path)) == (1, 0)
    for kept in tmp_path.rglob("*.kernel"):
        kept.write_bytes(kept.read_bytes()[:1000])  # a file that is not whole is none
    assert compiled_and_found(installed, HOME=str(tmp_path)) == (1, 0)
    assert compiled_and_found(installed, HOME=str(tmp_path)) == (0, 1)
    assert len(files_in(tmp_path)) == 1, "the new one is in the place of the old one"


# Folders that cannot be written: as root may write everywhere, files stand in their places.
def test_where_nothing_can_be_written_the_users_cache_takes_kernels(installed: Path, tmp_path: Path) -> None:
    (installed / "minigrad" / "_arrays" / "host" / "__pycache__").touch()
    home = tmp_path / "home"
    assert compiled_and_found(installed, HOME=str(home)) == (1, 0)
    assert compiled_and_found(installed, HOME=str(home)) == (0, 1)
    assert len(files_in(home)) == 1
    for cache in ({"HOME": "/dev/null"}, {"XDG_CACHE_HOME": "/dev/null"}):
        assert compiled_and_found(installed, **cache) == (1, 0)


# ---------------------------------------------------------------------------------------------------- with and without

def test_the_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    x = mg.randn(100, 100)
    witness = Witness(kernels.HostKernels())
    monkeypatch.setattr(host.switch, "_found", witness)
    monkeypatch.setattr(host.switch, "least", 10000)
    mg.softmax(x[:99], 1)
    assert mg.backends.numba.enabled and mg.backends.numba.is_available() and not witness.applied
    mg.backends.numba.enabled = False
    try:
        mg.softmax(x, 1)
        assert not witness.applied and "(off)" in mg.__config__.show()
    finally:
        mg.backends.numba.enabled = True
    mg.softmax(x, 1)
    assert witness.applied == {"softmax"} and f"numba {numba.__version__}" in mg.__config__.show()


LARGE = "import minigrad as mg\nprint(mg.softmax(mg.ones(100, 200), 1).sum().round().item(), mg.backends.numba.is_available())\n"


@pytest.mark.parametrize("first", ["import os; os.environ['MINIGRAD_NUMBA'] = '0'", ""])
def test_numba_is_imported_by_the_first_large_array_unless_it_is_switched_off(first: str) -> None:
    program = """
import minigrad as mg
mg.softmax(mg.ones(10, 20), 1)
print("numba" in sys.modules)
mg.softmax(mg.ones(100, 200), 1)
print("numba" in sys.modules)"""
    assert environments.run(program, first=first).split() == ["False", str(not first)]


def test_where_numba_is_told_to_compile_nothing_numpy_computes() -> None:
    assert environments.run(LARGE, NUMBA_DISABLE_JIT="1").split() == ["100.0", "False"]


def test_without_numba_everything_is_computed() -> None:
    assert environments.run(LARGE, first=f"absent = {{'numba'}}\n{environments.ABSENT}").split() == ["100.0", "False"]


@pytest.mark.parametrize("broken", [
    "raise ImportError('Numba needs NumPy 2.0 or less')", "raise OSError('libLLVM cannot be loaded')", "import llvmlite_"])
def test_a_numba_that_cannot_be_imported_is_warned_of_once(broken: str, tmp_path: Path) -> None:
    (tmp_path / "numba.py").write_text(broken)
    program = f"""
import warnings
with warnings.catch_warnings(record=True) as seen:
    warnings.simplefilter("always")
    exec({LARGE * 2!r})
print(len(seen), seen[0].category.__name__, seen[0].message)"""
    said = environments.run(program, first=f"sys.path.insert(0, {str(tmp_path)!r})").splitlines()
    assert said[:2] == ["100.0 False"] * 2
    assert said[2].startswith("1 RuntimeWarning numba is installed but cannot be used (") and 'pip install' in said[2]


def test_kernels_call_nothing_outside_their_room() -> None:
    """Where a source changes that their files are not keyed by, old code would go on being used."""
    room = Path(host.__file__).parent
    for file in room.glob("*.py"):
        source = file.read_text(encoding="utf-8")
        if "@kernel" in source or "@part" in source:
            outside = re.findall(r"(?:from|import) (minigrad\b(?!\._arrays\.host\b)[\w.]*)", source)
            assert not outside, f"{file.name} imports {outside}"


def array_assignments(source: str) -> list[int]:
    """The lines of functions that are compiled in which what stands for an array is assigned to a part of another."""
    functions = [f for f in ast.walk(ast.parse(source)) if isinstance(f, ast.FunctionDef)
                 and re.search(r"'(kernel|part)'", " ".join(map(ast.dump, f.decorator_list)))]
    return [line.lineno for f in functions for line in ast.walk(f) if isinstance(line, ast.Assign)
            and not isinstance(line.value, ast.Constant)
            and any(isinstance(part, ast.Slice) for target in line.targets if isinstance(target, ast.Subscript)
                    for part in ast.walk(target.slice))]


def test_no_kernel_assigns_an_array_to_a_part_of_another() -> None:
    """numba compiles the words for shapes that do not fit with it, which takes several seconds."""
    planted = "@kernel(sums=True)\ndef f(a, b, begin, end):\n    a[begin:end] = 0\n    a[begin, 1:] = b\n"
    assert array_assignments(planted) == [4]
    for file in Path(host.__file__).parent.glob("*.py"):
        assert not array_assignments(file.read_text(encoding="utf-8")), file.name
