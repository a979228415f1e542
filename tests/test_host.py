"""The kernels that numba compiles: each against what the operation is composed of, and threads, forks and files around them."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from typing import Any, Callable, Iterator, NamedTuple

import numpy as np
import pytest

import minigrad as mg
from minigrad._arrays import host
from minigrad._arrays.kernels import Kernels
from minigrad.recording.call import REGISTRY
from tests import test_environments as environments
from tests.test_interrupts import interrupt_at

numba = pytest.importorskip("numba", reason="needs numba, the extra 'fast'")

from minigrad._arrays.host import compiling, elementary, kernels, products, threads  # noqa: E402
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


def batch_norm(x: Any, *weights: Any) -> Any:
    return functional.batch_norm(x, None, None, *weights, training=True)


def group_norm(x: Any, *weights: Any) -> Any:
    return functional.group_norm(x, 2, *weights)


def layer_norm(x: Any, *weights: Any) -> Any:
    return functional.layer_norm(x, x.shape[1:], *weights)


def rms_norm(x: Any, *weights: Any) -> Any:
    return functional.rms_norm(x, x.shape[1:], *weights)


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
CASES = [
    *[Case("multiply", *case) for case in PRODUCTS],
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
    *[Case("softmax softmax_slope", getattr(mg, name), (x,)) for name, x in itertools.product(
        ["softmax", "log_softmax"], [random(7), random(5, 33), 20 * random(2, 3, 17), random(300, 100), random(4, 1), HOLES])],
]
CASES = [case._replace(function=lambda x, f=case.function: f(x, -1)) if "softmax" in case.kernels else case for case in CASES]


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
        assert set(case.kernels.split()) <= witness.applied
        assert len(found) == len(expected) > 0
        for one, other in zip(found, expected):
            assert one.dtype == dtype and one.shape == other.shape
            greatest = np.abs(other[np.isfinite(other)]).max(initial=1)
            np.testing.assert_allclose(one, other, rtol=0, atol=case.ulp * np.finfo(dtype).eps * greatest)


def test_every_kernel_has_a_case() -> None:
    tested = {name for case in CASES for name in case.kernels.split()}
    assert tested == {name for name, method in vars(kernels.HostKernels).items() if callable(method)}


# ---------------------------------------------------------------------------------------------------- threads and processes

PROGRAM = """\
import os, signal, sys, threading, time
import numpy as np
import minigrad as mg
from minigrad._arrays.host import threads
from minigrad._arrays.host.compiling import kernel

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
        @kernel
        def new(x, y, begin, end):
            for k in range(begin, end):
                y[k] = x[k]
        new._cache = type(new._cache).__mro__[1]()  # keeps nothing: compiled each time
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
@kernel
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
