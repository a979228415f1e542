"""``out=`` in every public function that has it: the result is written into what is given, and that is returned.

The functions are found, not listed: each declared operation is called with the inputs of its case in the op table, each composed
function as ``CALLS`` says; one without a call fails.
"""

from __future__ import annotations

import inspect
import warnings
from typing import Any, Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minigrad as mg
from minigrad import fft, linalg, special
from minigrad.nn import functional as F
from minigrad.recording.call import REGISTRY
from tests.op_cases import OpCase, all_cases

SPACES = {"": mg, "nn.functional.": F, "linalg.": linalg, "special.": special, "fft.": fft}
RANDOM = ("bernoulli", "empty", "multinomial", "normal", "rand", "randint", "randn", "randperm")


def composed() -> Iterator[tuple[str, Any]]:
    """Every public function that is no declared operation and has ``out=``, with its name."""
    for prefix, space in SPACES.items():
        for name in getattr(space, "__all__", dir(space)):
            found = getattr(space, name)
            if inspect.isfunction(found) and not name.startswith("_") and not hasattr(found, "info") \
                    and "out" in inspect.signature(found).parameters:
                yield prefix + name, found


COMPOSED = dict(composed())
x, y, v = mg.tensor([[3.0, 1.0], [0.5, 2.0]]), mg.tensor([[1.0, -1.0], [0.25, 4.0]]), mg.tensor([4.0, 1.0, 3.0])
index, positive = mg.tensor([[0, 1], [1, 0]]), mg.tensor([[2.0, 0.5], [0.5, 1.0]])
z = mg.complex(x, y)
L, LU, QR = mg.linalg.cholesky(positive), mg.linalg.lu_factor(x), mg.geqrf(x)
signal = mg.arange(6.0).reshape(2, 3)
CALLS: dict[str, Any] = {
    **{name: lambda f, out, a=args: f(*a, out=out) for name, args in {
        "alias_copy": (x,), "arange": (4,), "argsort": (v,), "as_strided_copy": (x, (2,), (2,)), "bernoulli": (x / 4,),
        "bucketize": (v, mg.tensor([1.0, 2.0])), "chain_matmul": (x, y), "cholesky": (positive,), "cholesky_inverse": (L,),
        "cholesky_solve": (x, L), "clamp": (x, 1), "clamp_max": (x, 1), "clamp_min": (x, 1), "clip": (x, 1),
        "column_stack": ([v, v],), "concat": ([x, y],), "concatenate": ([x, y],), "conj_physical": (z,), "cross": (v, v + 1, 0),
        "diag": (v,), "diff": (v,), "div": (x, y), "divide": (x, y), "dstack": ([x, y],), "empty": (2, 3), "eye": (2,),
        "float_power": (x, 2), "full": ((2, 3), 1.5), "gather": (x, 1, index), "histogram": (v, 3), "hstack": ([x, y],),
        "index_add": (x, 0, mg.tensor([1, 0]), y), "index_copy": (x, 0, mg.tensor([1, 0]), y),
        "index_reduce": (x, 0, mg.tensor([1, 0]), y, "prod"), "index_select": (x, 0, mg.tensor([1, 1])), "inner": (x, y),
        "isin": (v, mg.tensor([1.0])), "kron": (x, y), "ldexp": (x, y), "linspace": (0, 1, 5), "logspace": (0, 1, 5),
        "lu": (x,), "lu_solve": (x, *LU), "lu_unpack": LU, "masked_select": (x, x > 1), "matrix_power": (x, 2),
        "max": (x, 1), "median": (x, 1), "min": (x, 1), "msort": (x,), "multinomial": (v, 2), "mvlgamma": (v, 1),
        "nanmean": (x,), "nanmedian": (x, 1), "nanquantile": (x, 0.5), "narrow_copy": (x, 0, 1, 1), "nonzero": (x,),
        "norm": (x,), "normal": (0.0, 1.0, (3,)), "ones": (2, 3), "orgqr": QR, "ormqr": (*QR, y), "polygamma": (1, v),
        "pow": (x, 2), "qr": (x,), "quantile": (x, 0.5), "rand": (2, 3), "randint": (5, (3,)), "randn": (2, 3), "randperm": (4,),
        "range": (0, 3), "renorm": (x, 2, 0, 1.0), "row_stack": ([v, v],), "scatter": (x, 1, index, y),
        "scatter_add": (x, 1, index, y), "scatter_reduce": (x, 1, index, y, "prod"), "searchsorted": (mg.tensor([1.0, 2.0]), v),
        "slice_copy": (x, 0, 0, 1), "slice_scatter": (x, y[:1], 0, 0, 1), "split_copy": (x, 1), "std": (x,), "svd": (x,),
        "t_copy": (x,), "take": (x, index), "take_along_dim": (x, index), "tensordot": (x, y, 1), "triangular_solve": (x, y),
        "var": (x,), "view_copy": (x, -1), "vstack": ([x, y],), "where": (x > 1, x, y), "zeros": (2, 3),
        "nn.functional.normalize": (x,), "linalg.cholesky_ex": (positive,), "linalg.cond": (x,), "linalg.cross": (v, v + 1),
        "linalg.eigvals": (x,), "linalg.eigvalsh": (positive,), "linalg.householder_product": QR, "linalg.inv_ex": (x,),
        "linalg.ldl_factor_ex": (positive,), "linalg.lstsq": (x, y), "linalg.lu": (x,), "linalg.lu_factor_ex": (x,),
        "linalg.lu_solve": (*LU, y), "linalg.matrix_norm": (x, "nuc"), "linalg.matrix_power": (x, 2), "linalg.matrix_rank": (x,),
        "linalg.multi_dot": ([x, y],), "linalg.norm": (x,), "linalg.pinv": (x,), "linalg.solve": (x, y),
        "linalg.solve_ex": (x, y), "linalg.svdvals": (x,), "linalg.tensorinv": (x, 1), "linalg.tensorsolve": (x, v[:2]),
        "linalg.vecdot": (x, y), "special.multigammaln": (v, 1), "special.polygamma": (1, v),
        **{f"special.shifted_chebyshev_polynomial_{k}": (x / 4, 2) for k in "tuvw"},
        "fft.fftfreq": (4,), "fft.rfftfreq": (4,),
        **{f"fft.{f}{n}": (signal,) for f in ("rfft", "ihfft") for n in ("", "2", "n")},
        **{f"fft.{f}{n}": (z,) for f in ("fft", "ifft", "hfft", "irfft") for n in ("", "2", "n")}}.items()}}


def flat(result: Any) -> list[Any]:
    """The tensors of a result."""
    return [t for part in result for t in flat(part)] if isinstance(result, tuple) else [result]


def empty_like(result: Any) -> Any:
    """Empty tensors of the dtypes of `result`, in its structure."""
    return tuple([empty_like(r) for r in result]) if isinstance(result, tuple) else mg.empty(0, dtype=result.dtype)


def strided_like(result: Any) -> Any:
    """Tensors of the shapes of `result` whose elements do not lie side by side."""
    if isinstance(result, tuple):
        return tuple([strided_like(r) for r in result])
    return mg.zeros((*result.shape, 2), dtype=result.dtype)[..., 0]


def check(call: Any, same: bool = True) -> None:
    """Assert that ``call(out)`` writes into `out` what ``call(None)`` gives, and returns `out`, for `out` empty and for `out` of
    the right shape; `same`: that two calls give the same."""
    wanted = call(None)
    for like in (empty_like, strided_like):
        out = like(wanted)
        found = call(out)
        assert type(found) is type(wanted)
        assert [id(t) for t in flat(found)] == [id(t) for t in flat(out)]
        for t, w in zip(flat(out), flat(wanted)):
            assert t.shape == w.shape and t.dtype is w.dtype
            if same:
                np.testing.assert_array_equal(t.numpy(), w.detach().numpy())


@pytest.mark.parametrize("name", sorted(COMPOSED))
def test_a_composed_function_writes_into_out(name: str) -> None:
    check(lambda out: CALLS[name](COMPOSED[name], out), same=name not in RANDOM)


CASES = {name: case for name, case in all_cases().items() if name in REGISTRY and not REGISTRY[name].info.called.startswith("_")}


@pytest.mark.parametrize("name", sorted(CASES))
@given(data=st.data())
def test_an_operation_writes_into_out(name: str, data: Any) -> None:
    case: OpCase = CASES[name]
    args, settings = data.draw(case.samples)
    tensors = [None if a is None else mg.tensor(a) if np.ndim(a) or isinstance(a, (np.ndarray, np.generic)) else a for a in args]

    def call(out: Any) -> Any:
        if case.setup is not None:
            case.setup()
        given = (tensors,) if REGISTRY[name].info.variadic else tensors
        return REGISTRY[name](*given, **settings, out=out)

    check(call, same=not case.drawn)


def test_out_of_another_shape_is_resized_with_a_warning() -> None:
    out = mg.zeros(5)
    with pytest.warns(UserWarning, match=r"An output with one or more elements was resized: add gives shape \[2, 2\]"):
        assert mg.add(x, y, out=out) is out
    assert out.tolist() == (x + y).tolist()
    with pytest.warns(UserWarning, match="An output with one or more elements was resized: msort") as caught:
        mg.msort(x, out=mg.zeros(3))
    assert caught[0].filename == __file__
    with pytest.warns(UserWarning, match=r"arange: the number of elements in the out tensor was 2"):
        mg.arange(3, out=mg.zeros(2))


@pytest.mark.parametrize("make", [lambda out: mg.arange(6, out=out), lambda out: mg.linspace(0, 5, 6, out=out),
                                  lambda out: mg.log2(mg.logspace(0, 5, 6, 2, out=out))])
def test_sequences_keep_the_shape_of_out(make: Any) -> None:
    assert make(mg.empty(2, 3)).round().tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(("name", "args"), [("zeros", (2,)), ("ones", (2,)), ("empty", (2,)), ("rand", (2,)), ("arange", (2,)),
                                        ("eye", (2,)), ("full", ((2,), 1)), ("linspace", (0, 1, 2)), ("randperm", (2,))])
def test_a_dtype_beside_out_is_that_of_out(name: str, args: Any) -> None:
    with warnings.catch_warnings():
        getattr(mg, name)(*args, out=mg.empty(0), dtype=mg.float32)
    with pytest.raises(RuntimeError, match=rf"{name}\(\): dtype minigrad.float64 does not match dtype of out parameter"):
        getattr(mg, name)(*args, out=mg.empty(0), dtype=mg.float64)


def test_out_must_be_as_many_tensors_as_there_are_results() -> None:
    with pytest.raises(TypeError, match=r"sort\(\): argument 'out' must be a tuple of 2 Tensors, not Tensor"):
        mg.sort(v, out=mg.empty(0))
    with pytest.raises(TypeError, match=r"svd\(\): argument 'out' must be a tuple of 3 Tensors, not 2"):
        mg.svd(x, out=(mg.empty(0), mg.empty(0)))
    with pytest.raises(TypeError, match=r"nonzero\(\): got 'out' with as_tuple=True"):
        mg.nonzero(x, as_tuple=True, out=mg.empty(0))


def test_a_dtype_that_was_named_is_that_of_out() -> None:
    for call in (mg.sum, mg.prod, mg.cumsum, mg.cumprod):
        assert call(x, 0, dtype=mg.float64, out=mg.empty(0, dtype=mg.float64)).dtype is mg.float64
        with pytest.raises(RuntimeError, match="Expected out tensor to have dtype minigrad.float64, but got minigrad.float32"):
            call(x, 0, dtype=mg.float64, out=mg.empty(0))


def test_indices_go_into_integers() -> None:
    for call in (mg.sort, lambda v, out: mg.topk(v, 1, out=out), lambda v, out: mg.max(v, 0, out=out)):
        with pytest.raises(RuntimeError, match="Expected out tensor to have dtype minigrad.int64"):
            call(v, out=(mg.empty(0, dtype=v.dtype), mg.empty(0, dtype=v.dtype)))
