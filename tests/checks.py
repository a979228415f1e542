"""What is checked of every operation. Each check raises ``AssertionError`` that names the operation and what disagrees.

A derivative is checked along a random direction v: <gradient, v> must be the slope of the weighted result along v. The slope
comes from the complex step, Im f(x + ihv) / h, exact to rounding, or from a central difference of fourth order. No wrong
derivative passes for all random directions and weights, and one direction costs four evaluations whatever the size.
"""

from __future__ import annotations

import functools
from typing import Any, Callable

import numpy as np

import minigrad
from minigrad import Tensor, _arrays, autograd
from minigrad._types.dtypes import DIFFERENTIABLE
from minigrad.errors import DtypeError, GraphError, InplaceError, ShapeError
from minigrad.recording.call import record
from tests.op_cases import OpCase, Sample

STEP = 1e-20  # of the complex step: its square vanishes beside 1
WIDTH = 1e-3  # of the central difference, whose error is of the order WIDTH**4


# ---------------------------------------------------------------------------------------------------- calling an operation

def call(op: Any, args: Any, settings: dict[str, Any]) -> Any:
    return op(list(args), **settings) if op.info.variadic else op(*args, **settings)


def evaluate(op: Any, case: OpCase, args: Any, settings: dict[str, Any]) -> tuple[Any, ...]:
    """The results, as a tuple, however many there are."""
    case.setup()
    out = call(op, args, settings)
    return out if isinstance(out, tuple) else (out,)


def tensor_of(array: Any, requires_grad: bool = False) -> Any:
    """A tensor that holds `array` itself, not a copy of it."""
    if array is None:
        return None
    t = minigrad.tensor(0.0, requires_grad=requires_grad)
    t.array = array
    return t


def is_float(x: Any) -> bool:
    return hasattr(x, "dtype") and x.dtype.kind in DIFFERENTIABLE


def differentiable(op: Any, args: Any) -> list[int]:
    """The positions of the arguments that have a rule and can carry a gradient."""
    info = op.info
    names = info.arguments * len(args) if info.variadic else info.arguments
    return [k for k, (a, name) in enumerate(zip(args, names)) if name in info.rules and is_float(a)]


def leaves(op: Any, args: Any) -> list[Any]:
    wanted = differentiable(op, args)
    return [tensor_of(a, k in wanted) for k, a in enumerate(args)]


def comparable(op: Any, case: OpCase, args: Any, settings: dict[str, Any]) -> tuple[Any, ...]:
    """Of the results what every library must agree on."""
    outs = evaluate(op, case, args, settings)
    if case.determined is None:
        return outs
    with _arrays.on_device(_arrays.device_of(getattr(outs[0], "array", outs[0]))):
        return case.determined(*outs)


def gradients(op: Any, case: OpCase, args: Any, settings: dict[str, Any], weights: Any, which: list[int],
              evaluate: Callable[..., tuple[Any, ...]] = evaluate) -> list[Any]:
    """The gradients, as arrays, of the arguments `which`, when those of the results are `weights`."""
    tensors = leaves(op, args)
    outs = evaluate(op, case, tensors, settings)
    used = [(o, tensor_of(w)) for o, w in zip(outs, weights) if o.requires_grad and w is not None]
    assert used, f"{op.info.name}: no result requires grad, although an argument with a rule does"
    grads = autograd.grad([o for o, _ in used], [tensors[k] for k in which], [w for _, w in used], allow_unused=True)
    for k, g in zip(which, grads):
        if g is not None:
            assert g.shape == args[k].shape, f"{op.info.name}: gradient of argument {k} has shape {g.shape}, not {args[k].shape}"
            assert g.array.dtype == args[k].dtype, \
                f"{op.info.name}: gradient of argument {k} has dtype {g.array.dtype}, not {args[k].dtype}"
    return [np.zeros_like(args[k]) if g is None else g.array for k, g in zip(which, grads)]


def weights_for(rng: Any, outs: Any) -> list[Any]:
    """Random gradients of the results that can have one; None for the integer ones."""
    return [direction(rng, _arrays.as_array(o)) if is_float(o) else None for o in outs]


def direction(rng: Any, x: Any) -> Any:
    v = rng.uniform(-1, 1, x.shape)
    if x.dtype.kind == "c":
        v = v + 1j * rng.uniform(-1, 1, x.shape)
    return np.asarray(v, dtype=x.dtype)


def pairing(weights: Any, outs: Any) -> float:
    """The real inner product, for which a gradient is what it is: <w, y> = Re sum conj(w) y."""
    return float(np.sum([np.sum(np.conj(w) * y).real for w, y in zip(weights, outs) if w is not None], dtype=np.float64))


def slope(function: Callable[[float], float]) -> float:
    """The derivative at 0, by the central difference of fourth order."""
    h = WIDTH
    return (8 * (function(h) - function(-h)) - (function(2 * h) - function(-2 * h))) / (12 * h)


def moved(args: Any, k: int, step: Any) -> list[Any]:
    """`args` with `step` added to number `k`."""
    return [np.asarray(a + step) if i == k else a for i, a in enumerate(args)]


def complexified(args: Any) -> list[Any]:
    return [a.astype(np.complex128) if is_float(a) else a for a in args]


def real(arrays: Any) -> bool:
    """Whether no array is complex, so that the imaginary part is free for the complex step."""
    return all(a is None or a.dtype.kind != "c" for a in arrays)


def assert_close(what: str, found: Any, expected: Any, rtol: float, scale: float = 1.0) -> None:
    """|found - expected| <= rtol (scale + |expected|) everywhere, shapes and places of NaN included."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, f"{what}: shape {found.shape}, expected {expected.shape}"
    if found.dtype.kind in "fc":
        np.testing.assert_allclose(found, expected, rtol=rtol, atol=rtol * scale, err_msg=what)
    else:
        np.testing.assert_array_equal(found, expected, err_msg=what)


def described(op: Any, args: Any, settings: dict[str, Any]) -> str:
    shapes = ", ".join("None" if a is None else f"{a.dtype}{list(a.shape)}" for a in args)
    return f"{op.info.name}({shapes}{''.join(f', {k}={v!r}' for k, v in settings.items())})"


# ---------------------------------------------------------------------------------------------------- the forward

def check_forward(op: Any, case: OpCase, sample: Sample) -> None:
    """The result is the reference's, in value, shape and kind of dtype."""
    args, settings = sample
    case.setup()
    expected = case.reference(*args, **settings)
    expected = expected if isinstance(expected, tuple) else (expected,)
    outs = evaluate(op, case, args, settings)
    assert len(outs) == len(expected), f"{op.info.name}: {len(outs)} results, expected {len(expected)}"
    for k, (out, want) in enumerate(zip(outs, expected)):
        want = np.asarray(want)
        assert out.dtype.kind == want.dtype.kind, f"{described(op, args, settings)}: result {k} is {out.dtype}, not {want.dtype}"
        assert_close(f"{described(op, args, settings)}, result {k}", out, want, case.rtol)


def check_paths(op: Any, case: OpCase, sample: Sample) -> None:
    """Arrays give arrays and tensors give tensors, equal bit for bit; no input is changed by either, or by backward."""
    args, settings = sample
    what = described(op, args, settings)
    before = [None if a is None else a.copy() for a in args]
    plain = evaluate(op, case, args, settings)
    tensors = leaves(op, args)
    recorded = evaluate(op, case, tensors, settings)
    some = [t for t in tensors if t is not None]
    mixed = evaluate(op, case, [tensor_of(a) if t is some[0] else a for a, t in zip(args, tensors)], settings)
    for array, t, m in zip(plain, recorded, mixed):
        assert not isinstance(array, Tensor), f"{what}: arrays gave a Tensor"
        assert isinstance(t, Tensor), f"{what}: tensors gave a {type(t).__name__}"
        assert isinstance(m, Tensor), f"{what}: a tensor among arrays gave a {type(m).__name__}"
        assert isinstance(t.array, np.ndarray), f"{what}: the tensor holds a {type(t.array).__name__}"
        array = np.asarray(array)
        for found in (t.array, m.array):
            assert found.dtype == array.dtype and found.shape == array.shape and found.tobytes() == array.tobytes(), \
                f"{what}: the Tensor path gives {found!r}, the array path {array!r}"
    which = differentiable(op, args)
    if which and is_recorded(op, case, args, settings):
        gradients(op, case, args, settings, weights_for(np.random.default_rng(0), plain), which)
    for k, (a, b) in enumerate(zip(args, before)):
        assert a is None or a.tobytes() == b.tobytes(), f"{what}: argument {k} was changed"


def check_writes(refused: set[Any], op: Any, case: OpCase, sample: Sample) -> None:
    """Changing a floating result in place changes no gradient. Where it must not be changed, its name goes to `refused`."""
    args, settings = sample
    which = differentiable(op, args)
    if not which or not is_recorded(op, case, args, settings):
        return
    plain = evaluate(op, case, args, settings)
    weights = weights_for(np.random.default_rng(0), plain)
    expected = gradients(op, case, args, settings, weights, which)
    names = op.info.outputs if isinstance(op.info.outputs, tuple) else range(len(plain)) if op.info.outputs else ["out"]
    for k, name in enumerate(names):
        if not is_float(plain[k]) or not _arrays.as_array(plain[k]).flags.writeable:
            continue

        def evaluate_and_write(*call: Any, k: int = k) -> tuple[Any, ...]:
            outs = evaluate(*call)
            outs[k].detach().zero_()
            return outs

        try:
            found = gradients(op, case, args, settings, weights, which, evaluate_and_write)
        except InplaceError:
            refused.add(name)
        else:
            for g, want in zip(found, expected):
                np.testing.assert_array_equal(g, want, f"{described(op, args, settings)}: a write to {name} changed a gradient")


def check_memory(op: Any, case: OpCase, sample: Sample) -> None:
    """A result shares the memory of an argument if the operation is declared a view, and only then; one that does, and is in the
    graph, knows its base."""
    args, settings = sample
    for change in (lambda x: x, *LAYOUTS.values()):
        for kind in ("f", "i", "?"):
            turned = [a if a is None else change(a.astype(kind) if kind != "f" and a.dtype.kind == "f" else a) for a in args]
            what = described(op, turned, settings)
            tensors = [tensor_of(a) for a in turned]
            try:
                outs = evaluate(op, case, tensors, settings)
            except Exception:
                continue  # refused for this dtype or layout
            for k, out in enumerate(outs):
                of = [t for t in tensors if t is not None and share(out.array, t.array)]
                if not op.info.view:
                    assert not of, f"{what}: result {k} shares memory with an argument, but the operation is not declared a view"
                elif of and op.info.differentiable:
                    assert out._base is of[0], f"{what}: result {k} shares memory with its argument and does not know it"
                elif out.array.size and not of:
                    assert op.info.name in MAY_COPY, f"{what}: result {k} is a copy, but the operation is declared a view"


# Declared views that copy where the memory, or the dtype, does not allow a view.
MAY_COPY = {"reshape", "strided", "sum_to_size"}


def share(x: Any, y: Any) -> bool:
    """Whether the arrays `x` and `y` have an element in common."""
    return x is y or bool(x.size and y.size and np.shares_memory(x, y))


def check_float32(op: Any, case: OpCase, sample: Sample) -> None:
    """float32 in, float32 out and back, near the float64 values."""
    args, settings = sample
    narrow = [a.astype(np.complex64 if a.dtype.kind == "c" else np.float32) if is_float(a) else a for a in args]
    if "dtype" in op.info.settings or all(n is a for n, a in zip(narrow, args)):
        return
    wide = [n.astype(np.result_type(n.dtype, np.float64)) if is_float(n) else n for n in narrow]
    what = described(op, narrow, settings)
    outs, expected = evaluate(op, case, narrow, settings), evaluate(op, case, wide, settings)
    for out, want in zip(outs, expected):
        halved = {"float64": "float32", "complex128": "complex64"}.get(want.dtype.name, want.dtype.name)
        assert out.dtype.name == halved, f"{what}: the result is {out.dtype}, not {halved}"
        if is_float(out) and not case.drawn:
            assert_close(what, out, np.asarray(want).astype(halved), case.float32_rtol)
    which = differentiable(op, narrow)
    if which and is_recorded(op, case, narrow, settings):
        weights = weights_for(np.random.default_rng(0), outs)
        found = gradients(op, case, narrow, settings, weights, which)
        wide_weights = [w if w is None else w.astype(np.result_type(w.dtype, np.float64)) for w in weights]
        want_grads = gradients(op, case, wide, settings, wide_weights, which)
        for k, g, want in zip(which, found, want_grads):
            assert_close(f"{what}: gradient of argument {k}", g, want.astype(narrow[k].dtype), 10 * case.float32_rtol,
                         size_of(want))


def size_of(x: Any) -> float:
    """The scale of rounding errors in `x`: 1 and its largest finite element."""
    return 1 + float(np.max(np.abs(x), initial=0, where=np.isfinite(x)))


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "Fortran order": lambda x: np.array(x, order="F"),
    "every second element": lambda x: np.repeat(x, 2, axis=-1)[..., ::2] if x.ndim else x,
    "negative strides": lambda x: np.asarray(np.flip(np.flip(x).copy())),
    "a transposed slice": lambda x: np.stack([x.T, x.T])[1, ...].T,
}


def check_layouts(op: Any, case: OpCase, sample: Sample) -> None:
    """How the elements lie in memory does not matter."""
    args, settings = sample
    usual = evaluate(op, case, args, settings)
    which = differentiable(op, args)
    recorded = bool(which) and is_recorded(op, case, args, settings)
    weights = weights_for(np.random.default_rng(0), usual)
    if recorded:
        usual_grads = gradients(op, case, args, settings, weights, which)
    for layout, change in LAYOUTS.items():
        what = f"{described(op, args, settings)} with {layout}"
        changed = [None if a is None else change(a) for a in args]
        try:
            outs = evaluate(op, case, changed, settings)
        except ShapeError:
            assert op.info.view, what  # memory that does not allow a view
            continue
        for out, want in zip(outs, usual):
            assert_close(what, out, want, max(case.rtol, 1e-12))
        if recorded:
            changed_weights = [None if w is None else change(w) for w in weights]
            for g, want in zip(gradients(op, case, changed, settings, changed_weights, which), usual_grads):
                assert_close(f"{what}: gradient", g, want, max(case.rtol, 1e-12), size_of(want))


def broadcast_variants(op: Any, sample: Sample) -> list[Sample]:
    """The sample's values in every mix of shapes that an op which broadcasts must take: 0-dim, size 1, missing dims, empty."""
    args, settings = sample
    if not op.info.broadcasts or any(a is not None and a.size == 0 for a in args):
        return []
    variants = []
    plans = [(2, 3), (1, 3), (2, 1), (3,), ()]
    for k in range(len(args)):
        for shape in plans:
            variants.append([shape if i == k else (2, 3) for i in range(len(args))])
    variants += [[()] * len(args), [(0, 3)] * len(args), [(0, 1) if k else (1, 3) for k in range(len(args))]]
    return [(tuple(None if a is None else np.resize(a, s).astype(a.dtype) for a, s in zip(args, shapes)), settings)
            for shapes in variants]


# ---------------------------------------------------------------------------------------------------- derivatives

def check_first(op: Any, case: OpCase, sample: Sample, rng_seed: int = 0) -> None:
    """The gradient of every argument is the slope of the forward."""
    args, settings = sample
    which = differentiable(op, args)
    if not which or not is_recorded(op, case, args, settings):
        return
    rng = np.random.default_rng(rng_seed)
    weights = weights_for(rng, evaluate(op, case, args, settings))
    grads = gradients(op, case, args, settings, weights, which)
    for k, g in zip(which, grads):
        v = direction(rng, args[k])
        if case.analytic and real([*args, *weights]):
            outs = evaluate(op, case, moved(complexified(args), k, 1j * STEP * v), settings)
            expected = sum(float(np.sum(w * np.imag(y))) for w, y in zip(weights, outs) if w is not None) / STEP
        else:
            expected = slope(lambda h, k=k, v=v: pairing(weights, evaluate(op, case, moved(args, k, h * v), settings)))
        agree(op, case, args, settings, f"gradient of '{argument(op, k)}'", g, v, expected)


def check_second(op: Any, case: OpCase, sample: Sample, rng_seed: int = 0) -> None:
    """Under ``create_graph`` the gradient is the same, and its own gradient is the slope of it.

    The gradient is a function of the arguments and of the gradient coming in; it is differentiated by all of them.
    """
    args, settings = sample
    which = differentiable(op, args)
    if not which or not is_recorded(op, case, args, settings):
        return
    rng = np.random.default_rng(rng_seed)
    weights = weights_for(rng, evaluate(op, case, args, settings))
    tensors = leaves(op, args)
    seeds = [None if w is None else tensor_of(w, requires_grad=True) for w in weights]
    used = [(o, s) for o, s in zip(evaluate(op, case, tensors, settings), seeds) if s is not None and o.requires_grad]
    first = autograd.grad([o for o, _ in used], [tensors[k] for k in which], [s for _, s in used], create_graph=True,
                          allow_unused=True)
    plain = gradients(op, case, args, settings, weights, which)
    for k, g, p in zip(which, first, plain):
        # NumPy computes scalars and arrays by different code, so the last bit may differ.
        assert g is None or np.allclose(g.array, p, rtol=1e-13, atol=1e-13, equal_nan=True), \
            f"{described(op, args, settings)}: the gradient of '{argument(op, k)}' differs under create_graph"
    probes = [direction(rng, p) for p in plain]
    variables = [tensors[k] for k in which] + [s for _, s in used]
    live = [(g, u) for g, u in zip(first, probes) if g is not None and g.requires_grad]
    if live:
        second = autograd.grad([g for g, _ in live], variables, [tensor_of(u) for _, u in live], allow_unused=True)
    else:
        second = (None,) * len(variables)

    def first_at(args: Any, weights: Any) -> list[Any]:
        return gradients(op, case, args, settings, weights, which)

    places = [("args", k) for k in which] + [("weights", k) for k, s in enumerate(seeds) if any(s is t for _, t in used)]
    for (kind, k), variable, grad in zip(places, variables, second):
        x = variable.array
        g = np.zeros_like(x) if grad is None else grad.array
        v = direction(rng, x)
        if case.analytic and op.info.holomorphic and real([*args, *weights]):
            # The gradient of holomorphic f at z is conj(f'(z) conj(g)), so it is its conjugate that is analytic in z.
            step = 1j * STEP * v
            if kind == "args":
                shifted = first_at(moved(complexified(args), k, step), complexified(weights))
            else:
                shifted = first_at(complexified(args), moved(complexified(weights), k, -step))
            expected = -sum(float(np.sum(u * np.imag(y))) for u, y in zip(probes, shifted)) / STEP
        elif kind == "args":
            expected = slope(lambda h, k=k, v=v: pairing(probes, first_at(moved(args, k, h * v), weights)))
        else:
            expected = slope(lambda h, k=k, v=v: pairing(probes, first_at(args, moved(weights, k, h * v))))
        name = f"'{argument(op, k)}'" if kind == "args" else "the incoming gradient"
        agree(op, case, args, settings, f"second derivative by {name}", g, v, expected)


def check_complex(op: Any, case: OpCase, sample: Sample) -> None:
    """On complex inputs: the gradient is the one PyTorch defines, dL = Re <gradient, dz>; and so is its gradient."""
    args, settings = sample
    if not case.complex:
        return
    rng = np.random.default_rng(1)
    turned = tuple(a + 0.4j * rng.uniform(0.3, 1, a.shape) if is_float(a) else a for a in args)
    turned = tuple(np.asarray(t, dtype=np.complex128) if is_float(a) else a for a, t in zip(args, turned))
    check_first(op, case, (turned, settings))
    check_second(op, case, (turned, settings))


def is_recorded(op: Any, case: OpCase, args: Any, settings: dict[str, Any]) -> bool:
    """Whether a gradient flows: from every floating result, or else, where all are integers, from none."""
    outs = evaluate(op, case, leaves(op, args), settings)
    for k, out in enumerate(outs):
        assert out.requires_grad == is_float(out.array), \
            f"{described(op, args, settings)}: result {k}, of {out.array.dtype}, has requires_grad={out.requires_grad}"
    return any(o.requires_grad for o in outs)


def argument(op: Any, k: int) -> str:
    return f"{op.info.arguments[0]}[{k}]" if op.info.variadic else str(op.info.arguments[k])


def agree(op: Any, case: OpCase, args: Any, settings: dict[str, Any], what: str, g: Any, v: Any, expected: float) -> None:
    """<g, v> is the `expected` slope, to the tolerance of the case."""
    if np.isnan(expected):  # a result that is nan, such as the mean of nothing, has no slope
        return
    if not g.size:
        return
    found = pairing([g], [v])
    scale = 1 + abs(expected) + float(np.sum(np.abs(g * v)))
    rtol = case.grad_rtol or (1e-8 if case.analytic else 2e-6)
    assert abs(found - expected) <= rtol * scale, (
        f"{described(op, args, settings)}: {what} is wrong: along a direction it gives {found!r}, the slope is {expected!r}; "
        f"arguments {list(args)!r}")


# ---------------------------------------------------------------------------------------------------- what has no derivative

def check_marks(op: Any, case: OpCase, sample: Sample) -> None:
    """The arguments marked as constant are those the case says, and refuse a gradient; the discrete ones hold no floats."""
    info, (args, settings) = op.info, sample
    info.check_rules()
    assert set(info.constant) == set(case.constant), \
        f"{info.name}: {info.constant} are declared as constant, the case says {case.constant}"
    names = info.arguments * len(args) if info.variadic else info.arguments
    for k, name in enumerate(names):
        if args[k] is None or name not in (*info.constant, *info.discrete):
            continue
        if name in info.discrete:
            assert not is_float(args[k]), f"{info.name}: argument '{name}' is declared as discrete, and holds {args[k].dtype}"
        elif not is_float(args[k]):
            continue
        tensors = [tensor_of(a.astype(np.float64) if i == k and not is_float(a) else a, i == k) for i, a in enumerate(args)]
        for said, recorder in (("the call path", functools.partial(evaluate, op, case)),
                               ("the recorder in words", functools.partial(record_only, op))):
            assert is_refused(recorder, tensors, settings, name), \
                f"{info.name}: {said} lets '{name}' require grad, without a derivative"
        if name in info.constant:
            with minigrad.no_grad():
                evaluate(op, case, tensors, settings)


def is_refused(function: Callable[..., Any], tensors: Any, settings: dict[str, Any], name: str) -> bool:
    """Whether the call raises an error that says it is about the argument `name`."""
    try:
        function(tensors, settings)
    except (GraphError, DtypeError) as error:
        return f"'{name}'" in str(error)
    return False


def record_only(op: Any, tensors: Any, settings: dict[str, Any]) -> None:
    """Record a call that is not made."""
    record(op.info, tensors, tuple([None if t is None else t.array for t in tensors]), np.zeros(()), settings)


def check_constant(op: Any, case: OpCase, sample: Sample) -> None:
    """A small change of an argument does not change a floating result of an operation declared as not differentiable."""
    args, settings = sample
    outs = evaluate(op, case, args, settings)
    for k, a in enumerate(args):
        if is_float(a):
            step = 1e-9 * direction(np.random.default_rng(k), a)
            for out, near in zip(outs, evaluate(op, case, moved(args, k, step), settings)):
                assert not is_float(out) or np.array_equal(out, near, equal_nan=True), \
                    f"{described(op, args, settings)}: declared as not differentiable, but depends on '{argument(op, k)}'"


# ---------------------------------------------------------------------------------------------------- other libraries

def check_elsewhere(op: Any, case: OpCase, sample: Sample, move: Callable[[Any], Any]) -> None:
    """On the arrays of another library, made by `move`, the results and gradients are the same and stay where those are."""
    args, settings = sample
    there, settings_there = [move(a) for a in args], {k: move_all(v, move) for k, v in settings.items()}
    first = next(a for a in there if a is not None)
    kind, home = type(first), _arrays.device_of(first)
    what = f"{described(op, args, settings)} on {kind.__module__}.{kind.__name__}, {home}"
    usual = comparable(op, case, args, settings)
    tensors = leaves(op, there)
    moved_outs = comparable(op, case, tensors, settings_there)
    for out, raw, want in zip(moved_outs, comparable(op, case, there, settings_there), usual):
        assert isinstance(out.array, kind), f"{what}: the result is a {type(out.array).__name__}"
        assert isinstance(raw, kind), f"{what}: the array path gives a {type(raw).__name__}"
        place = settings_there.get("device", home)  # where it moves to
        assert _arrays.device_of(out.array) == _arrays.device_of(raw) == place, f"{what}: the result is on another GPU"
        assert out.array.dtype == want.dtype, f"{what}: the result is {out.array.dtype}, not {want.dtype}"
        if not case.drawn:
            assert_close(what, _arrays.to_numpy(out.array), want, max(case.rtol, 1e-12))
    which = differentiable(op, args)
    if which and is_recorded(op, case, args, settings):
        weights = weights_for(np.random.default_rng(0), usual)
        expected = gradients(op, case, args, settings, weights, which, comparable)
        used = [(o, tensor_of(move(w))) for o, w in zip(moved_outs, weights) if w is not None and o.requires_grad]
        found = autograd.grad([o for o, _ in used], [tensors[k] for k in which], [w for _, w in used], allow_unused=True)
        for g, want in zip(found, expected):
            if g is not None:
                assert isinstance(g.array, kind), f"{what}: the gradient is a {type(g.array).__name__}"
                assert _arrays.device_of(g.array) == home, f"{what}: the gradient is on another GPU"
                if not case.drawn:  # other numbers may have other gradients
                    assert_close(f"{what}: gradient", _arrays.to_numpy(g.array), want, max(case.rtol, 1e-12), size_of(want))


def move_all(value: Any, move: Callable[[Any], Any]) -> Any:
    """A setting with the arrays in it moved, for an index is a tuple of them, and the device in it changed."""
    if isinstance(value, (tuple, list)):
        return type(value)([move_all(v, move) for v in value])
    return _arrays.device_of(move(np.zeros(()))) if isinstance(value, _arrays.Device) else move(value)
