"""Runs of lines that a compiled function replays by one call of NumPy's loops: the same bits, and when they are left alone."""

from __future__ import annotations

import gc
import re
import threading
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.nn import functional as F

pytest.importorskip("numba", reason="needs numba, the extra 'fast'")

from minigrad._arrays.host import loops  # noqa: E402
from minigrad.compiler import segments  # noqa: E402
from minigrad.compiler.segments import Segment  # noqa: E402

CALLS = 7  # two are recorded, one is looked at, one is proved; the others are what is tested


def agree(function: Callable[..., Any], batch: Callable[[int], tuple[Any, ...]], *, runs: bool = True) -> Any:
    """Call a function and its compiled form, and compare the bits. `runs` says whether there must be a segment in the end."""
    compiled = mg.compile(function, fullgraph=True)
    for k in range(CALLS):
        mg.manual_seed(k)
        args = batch(k)
        expected = function(*args)
        mg.manual_seed(k)
        batch(k)
        found = compiled(*args)
        for a, b in zip(mg.utils._pytree.tree_leaves(expected), mg.utils._pytree.tree_leaves(found), strict=True):
            assert a.shape == b.shape and a.stride() == b.stride() and a.dtype == b.dtype, compiled.source
            assert a.array.tobytes() == b.array.tobytes(), f"call {k}\n{compiled.source}"
    assert bool(re.search(r"segment_\d+\(", compiled.source)) is runs, compiled.source
    return compiled


# ---------------------------------------------------------------------------------------------------- what is written

def test_a_chain_is_one_call() -> None:
    w = mg.randn(4, 4)

    def chain(x: Any) -> Any:
        for _ in range(10):
            x = (x * w).tanh()
        return x
    compiled = agree(chain, lambda k: (mg.randn(4, 4),))
    called = [line for line in compiled.source.splitlines() if not line.lstrip().startswith("#")]
    assert called == ["def replay(t0):", "    x0 = t0.array", "    v19, = segment_0(x0)", "    return tensor(v19)"]
    assert compiled.source.count("    # v") == 20  # the lines that it stands for


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64, mg.int64])
@pytest.mark.parametrize("shapes", [((5, 7), (7,)), ((5, 7), (5, 1)), ((5, 1), (1, 7)), ((2, 3, 4), (3, 1)), ((), (3,)),
                                    ((1,), (1, 1)), ((64, 33), (33,)), ((2, 1, 5, 3), (4, 1, 1)), ((0, 3), (3,))])
def test_elements_are_broadcast(shapes: Any, dtype: Any) -> None:
    def pointwise(a: Any, b: Any) -> Any:
        c = a * b + 2
        d = (c - a) * 3
        return c.maximum(d), d > a, (-d).abs() + c, c * 0.5
    agree(pointwise, lambda k: tuple([(mg.randn(shape) * 9).to(dtype) for shape in shapes]))


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
@pytest.mark.parametrize("layout", ["contiguous", "transposed", "strided", "reversed", "repeated"])
def test_functions_see_the_strides_they_see_in_numpy(layout: str, dtype: Any) -> None:
    def lay_out(x: Any) -> Any:
        return {"contiguous": x, "transposed": x.T, "strided": x[::2, 1::3], "reversed": mg.from_numpy(x.numpy()[::-1, ::-1]),
                "repeated": x[:1].expand(6, x.shape[1])}[layout]

    def functions(x: Any) -> Any:
        return (x.exp(), x.tanh(), x.sin() + x.cos(), x.abs().log(), x.abs().sqrt(), x.sigmoid(), x.erf(), x ** 3, x.clamp(-1, 1),
                x.relu(), x.square().mean(), 1 / x)
    agree(functions, lambda k: (lay_out(mg.randn(12, 33, dtype=dtype) * 3),))


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
@pytest.mark.parametrize("shape", [(3,), (129,), (1000,), (5, 7), (100, 16), (16, 100), (3, 4, 5), (2, 65, 3), (2, 3, 4, 5),
                                   (1, 9), (9, 1)])
def test_sums_are_in_numpys_order(shape: tuple[int, ...], dtype: Any) -> None:
    def sums(x: Any) -> Any:
        y = x * 1.5
        z = y.transpose(0, -1)
        results = [y.sum(), z.sum(), y.prod(), y.amax(), y.mean(0), z.mean(-1, keepdim=True)]
        results += [t.sum(d) for t in (y, z) for d in range(t.ndim)]
        return results + [t.amax(d) for t in (y, z) for d in range(t.ndim)] + [y.sum((0, -1)) if y.ndim > 1 else y]
    agree(sums, lambda k: (mg.randn(*shape, dtype=dtype),))


@pytest.mark.parametrize("shapes", [((3, 4), (4, 5)), ((1, 4), (4, 5)), ((3, 4), (4, 1)), ((3, 1), (1, 5)), ((64, 64), (64, 64)),
                                    ((2, 3, 4), (2, 4, 5)), ((2, 3, 4), (4, 5)), ((6, 1, 3, 4), (2, 4, 3)), ((40, 2), (2, 40))])
def test_products_of_matrices(shapes: Any) -> None:
    def products(a: Any, b: Any) -> Any:
        c = (a + 1) @ (b - 1)
        return c.mT @ a, b @ c.mT, c.tanh(), c.mT.contiguous() + 1
    agree(products, lambda k: tuple([mg.randn(*shape) for shape in shapes]))


def test_parts_are_put_together_and_written() -> None:
    table = mg.zeros(3, 4)

    def parts(x: Any, y: Any) -> Any:
        both = mg.cat([x * 2, y.T, x - 1], dim=1)
        stacked = mg.stack([x, x * x])
        h = mg.zeros(2, 4)
        h[0] = x[0]
        h[1].mul_(2).add_(x[1])
        table.add_(x.abs().sum()).mul_(0.5)
        return both, stacked * 2, h, table * 1, both[:, 1:3] + 1
    agree(parts, lambda k: (table.zero_(), (mg.randn(3, 4), mg.randn(2, 3)))[1])


def test_numbers_change_their_dtype() -> None:
    def mixed(x: Any, n: Any, b: Any) -> Any:
        y = x * b + n
        return y.double() * 3, (x > 0).long() * n, b.float() + x, n / 2, (y > n).float().sum(), n.double() + x.double()
    agree(mixed, lambda k: (mg.randn(5, 3), mg.randint(-9, 9, (5, 3)), mg.rand(3) > 0.5))


@pytest.mark.parametrize("dtype", [mg.float32, mg.float64])
@pytest.mark.parametrize(("shape", "index_shape", "dim"), [((6, 2), (6, 1), 1), ((6, 4), (3, 4), 0), ((5, 3, 4), (5, 3, 2), -1),
                                                           ((5, 3, 4), (2, 7, 3), 1), ((4,), (9,), 0)])
def test_elements_are_looked_up_by_number(shape: Any, index_shape: Any, dim: int, dtype: Any) -> None:
    w = mg.randn(shape, dtype=dtype).requires_grad_()

    def step(index: Any, g: Any) -> Any:
        w.grad = None
        found = (w * 2 + 1).gather(dim, index)
        (found * g).sum().backward()
        best, places = (w.detach() * g.sum()).max(dim)
        return found.detach(), w.grad, best * 2, places, (w.detach() - 1).argmin(dim, keepdim=True)
    compiled = agree(step, lambda k: (mg.randint(0, shape[dim], index_shape), mg.randn(index_shape, dtype=dtype)))
    assert "    # v" in compiled.source and "= gather_at(" in compiled.source.replace("    # ", "# ").split("segment_0(")[1]
    for bad in (-1, shape[dim]):
        index = mg.zeros(index_shape, dtype=mg.int64)
        index[(-1,) * index.ndim] = bad
        errors = []
        for function in (compiled, step):
            with pytest.raises((IndexError, RuntimeError)) as caught:
                function(index, mg.ones(index_shape, dtype=dtype))
            errors.append(caught)
        assert str(errors[0].value) == str(errors[1].value) and errors[0].type is errors[1].type
        assert "test_compile_segments.py" in errors[0].value.__notes__[-1]


def test_the_greatest_is_the_first_and_nan_is_greater() -> None:
    x = np.array([[1, 3, 3], [np.nan, 5, np.nan], [-np.inf, -np.inf, -np.inf], [-0.0, 0.0, -1], [2, np.nan, 7]], np.float32)
    for t in (mg.from_numpy(x), mg.from_numpy(x).double()):
        agree(lambda x: ((x * 1 + 0).max(1), (x * 2).max(0), (x.T * 3 - 1).argmax(-1)), lambda k, t=t: (t,))


# ---------------------------------------------------------------------------------------------------- steps

DRAWN: list[Callable[..., Any]] = [
    lambda x, y, w: x * y, lambda x, y, w: x + y.tanh(), lambda x, y, w: x @ w, lambda x, y, w: (x @ w.T).relu(),
    lambda x, y, w: x - y.mean(0), lambda x, y, w: x / (1 + y.abs().sum(1, keepdim=True)),
    lambda x, y, w: x.exp().clamp(max=2), lambda x, y, w: mg.cat([x[:, 2:], y[:, :2]], 1),
    lambda x, y, w: mg.where(x > y, x, -y), lambda x, y, w: x.softmax(1) * y, lambda x, y, w: F.layer_norm(x, (4,)),
    lambda x, y, w: x.flip(0) + y[1:2], lambda x, y, w: x.sigmoid() * w[0],
    lambda x, y, w: x.reshape(4, 6).T.reshape(6, 4) * 2, lambda x, y, w: F.gelu(x) - y,
    lambda x, y, w: x.max(1, keepdim=True).values + y, lambda x, y, w: x.cumsum(0), lambda x, y, w: F.dropout(x, 0.4) + y,
    lambda x, y, w: x.detach() + y * 0.5, lambda x, y, w: x.norm(dim=1, keepdim=True) * y,
    lambda x, y, w: x.gather(1, y.argsort(1)), lambda x, y, w: x.std() * y + x]
OPTIMIZERS: list[Callable[..., Any]] = [lambda p: optim.SGD(p, 0.1), lambda p: optim.SGD(p, 0.1, momentum=0.9), optim.Adam,
                                        lambda p: optim.AdamW(p, amsgrad=True), optim.RMSprop]


def one_nan(x: Any) -> Any:
    """An array in which every NaN has the same bits."""
    return np.where(np.isnan(x), np.float32(np.nan), x)


@pytest.mark.parametrize("seed", range(40))
def test_drawn_steps_give_the_same_bits(seed: int) -> None:
    def run(compiled: bool) -> tuple[list[bytes], str]:
        rng = np.random.default_rng(seed)
        mg.manual_seed(seed)
        program = [(DRAWN[rng.integers(len(DRAWN))], *rng.integers(0, 100, 2)) for _ in range(rng.integers(3, 12))]
        w, bias, scale = [mg.randn(*shape).requires_grad_() for shape in ((4, 4), (4,), (1,))]
        optimizer = OPTIMIZERS[rng.integers(len(OPTIMIZERS))]([w, bias, scale])
        clips = rng.random() < 0.3

        def step(x: Any) -> Any:
            values = [x, x * scale + bias]
            for function, a, b in program:
                values.append(function(values[a % len(values)], values[-1 - b % 2], w))
            loss = (values[-1] + values[-2]).square().mean() + bias.sum()
            optimizer.zero_grad()
            loss.backward()
            if clips:
                nn.utils.clip_grad_norm_([w, bias, scale], 1.0)
            optimizer.step()
            return loss, values[-1].detach()

        call = mg.compile(step, fullgraph=True) if compiled else step
        history = []
        for _ in range(CALLS):
            results = [*call(mg.randn(6, 4)), w, bias, scale, w.grad, bias.grad, scale.grad]
            history.append(b"".join([one_nan(t.array).tobytes() for t in results if t is not None]))
        return history, call.source if compiled else ""

    expected, _ = run(compiled=False)
    found, source = run(compiled=True)
    assert expected == found, source
    assert "segment_0(" in source


def test_what_a_segment_reads_stays_where_it_is() -> None:
    """Numbers in formulas lie in memory of their own, which nothing else may take."""
    def made() -> tuple[Any, Any]:
        w = mg.randn(3)
        compiled = mg.compile(lambda x: (x * w / 7 + 0.1).exp() * 3 - x * 0.2, fullgraph=True)
        for _ in range(CALLS):
            expected = compiled(mg.ones(3))
        return compiled, expected

    compiled, expected = made()
    gc.collect()
    others = [np.full(n, np.nan, np.float32) for n in range(1, 40) for _ in range(20)]
    assert mg.equal(compiled(mg.ones(3)), expected)
    del others


def test_threads_may_replay_at_the_same_time() -> None:
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 8)).requires_grad_(False)
    call = mg.compile(lambda x: model(x) * x + x.mean(), fullgraph=True)
    inputs = [mg.full((16, 8), float(k)) for k in range(4)]
    for x in inputs * 2:
        call(x)
    expected, wrong = [model(x) * x + x.mean() for x in inputs], []

    def work(k: int) -> None:
        wrong.extend([k for _ in range(300) if not mg.equal(call(inputs[k]), expected[k])])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert "segment_0(" in call.source and not wrong


def test_errors_of_lines_beside_segments_name_the_users_line() -> None:
    table = nn.Embedding(4, 3).requires_grad_(False)

    def look_up(index: Any, x: Any) -> Any:
        y = (x * 2 + 1).tanh() * x - 1
        return (table(index) * y).exp() + y * y
    call = mg.compile(look_up, fullgraph=True)
    for _ in range(CALLS):
        call(mg.tensor([0, 3, 1]), mg.randn(3, 3))
    assert "segment_0(" in call.source
    with pytest.raises(IndexError) as caught:
        call(mg.tensor([0, 4, 1]), mg.randn(3, 3))
    with pytest.raises(IndexError) as wanted:
        look_up(mg.tensor([0, 4, 1]), mg.randn(3, 3))
    assert str(caught.value) == str(wanted.value) and "test_compile_segments.py" in caught.value.__notes__[-1]


# ---------------------------------------------------------------------------------------------------- when they are left alone

def four(x: Any) -> Any:
    return (x * 2 + 1).tanh() * x - 3


def test_a_wrong_translation_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    right = loops.loop_of
    monkeypatch.setattr(loops, "loop_of", lambda function, dtypes: right(np.add if function is np.subtract else function, dtypes))
    agree(four, lambda k: (mg.randn(3, 3),), runs=False)


def test_lines_stay_where_objects_lie_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loops, "lies_as_expected", lambda: False)
    agree(four, lambda k: (mg.randn(3, 3),), runs=False)


def test_lines_stay_without_kernels() -> None:
    with mg.backends.numba.flags(enabled=False):
        agree(four, lambda k: (mg.randn(3, 3),), runs=False)


def test_few_lines_and_large_arrays_stay_lines() -> None:
    agree(lambda x: (x * 2).tanh(), lambda k: (mg.randn(3, 3),), runs=False)
    agree(four, lambda k: (mg.randn(100, 100),), runs=False)


def test_values_that_are_not_needed_at_the_same_time_share_memory() -> None:
    sizes: list[int] = []
    table = Segment.table

    def seen(self: Any, *args: Any) -> Any:
        calls = table(self, *args)
        sizes.append(self.size)
        return calls

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(segments.Segment, "table", seen)

        def chain(x: Any) -> Any:
            for _ in range(50):
                x = (x * 2).tanh()
            return x
        agree(chain, lambda k: (mg.randn(10, 16),))
    assert sizes == [2 * 640 + segments.ALIGNED]


def test_a_layout_that_was_misread_is_noticed() -> None:
    assert loops.lies_as_expected()
    assert not loops.reads_well(np.frompyfunc(lambda a: a, 1, 1)) or np.frompyfunc(lambda a: a, 1, 1).types == ["O->O"]
    assert loops.loop_of(np.add, (np.dtype("f"),) * 3) != loops.loop_of(np.subtract, (np.dtype("f"),) * 3)
    assert loops.loop_of(np.add, (np.dtype("f"), np.dtype("d"), np.dtype("f"))) is None
