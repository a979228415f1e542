"""How functions are called: argument names, older forms, warnings, and what several results are called."""

from __future__ import annotations

import operator
import pickle
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import functional as F

x = mg.tensor([[3.0, 1.0], [0.5, 2.0]])


@pytest.mark.parametrize(("call", "name"), [
    (lambda: mg.max(x, 1), "max"), (lambda: mg.min(x, 1), "min"), (lambda: x.median(1), "median"),
    (lambda: mg.nanmedian(x, 1), "nanmedian"), (lambda: mg.sort(x), "sort"), (lambda: x.topk(1), "topk"),
    (lambda: mg.aminmax(x), "aminmax"), (lambda: mg.linalg.slogdet(x), "linalg_slogdet"), (lambda: mg.svd(x), "svd"),
    (lambda: mg.histogram(x, 2), "histogram"), (lambda: mg.linalg.inv_ex(x), "linalg_inv_ex"),
    (lambda: mg.linalg.lu(x), "linalg_lu"), (lambda: mg.lu_unpack(*mg.linalg.lu_factor(x)), "lu_unpack")])
def test_several_results_are_called_by_the_name_of_the_function(call: Any, name: str) -> None:
    found = call()
    assert type(found) is getattr(mg.return_types, name) and name in dir(mg.return_types)
    assert repr(found).startswith(f"minigrad.return_types.{name}(\n{found._fields[0]}=tensor(")
    assert found.n_fields == found.n_sequence_fields == len(found) and found.n_unnamed_fields == 0
    assert type(pickle.loads(pickle.dumps(found))) is type(found)
    with pytest.raises(AttributeError, match="no function of that name has named results"):
        getattr(mg.return_types, "nothing")  # noqa: B009


def test_named_results_show_one_on_each_line() -> None:
    assert repr(mg.max(x, 1)) == "minigrad.return_types.max(\nvalues=tensor([3., 2.]),\nindices=tensor([0, 1]))"


@pytest.mark.parametrize("call", [
    lambda: mg.chunk(x, 2, axis=1)[0] - x[:, :1], lambda: mg.gather(x, axis=1, index=mg.tensor([[0], [0]])) - x[:, :1],
    lambda: mg.index_select(x, axis=0, index=mg.tensor([0])) - x[:1],
    lambda: mg.repeat_interleave(x, 2, axis=1)[:, ::2] - x, lambda: mg.kron(x=x, x2=mg.ones(1, 1)) - x,
    lambda: mg.quantile(a=x, q=0.5, axis=0) - x.quantile(0.5, 0),
    lambda: mg.roll(x, 2, dims=None) - x.flatten().roll(2).view(2, 2)])
def test_names_of_numpy_serve_in_composed_functions(call: Any) -> None:
    assert not call().any()


@pytest.mark.parametrize("method", ["view", "reshape", "permute", "expand", "repeat", "flip", "tile", "sum_to_size"])
def test_a_method_without_its_integers_is_refused(method: str) -> None:
    with pytest.raises(TypeError, match=rf"{method}\(\) missing 1 required positional argument: '\w+'"):
        getattr(mg.ones(()), method)()
    assert mg.ones(()).reshape(()).shape == ()


def test_dropout_of_the_bare_namespace_is_told_whether_to_train() -> None:
    y = mg.ones(2, 3)
    for name in ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"):
        assert getattr(mg, name)(y, 0.5, train=False).tolist() == y.tolist()
        assert getattr(mg, name + "_")(y, 0.5, False) is y
    mg.manual_seed(0)
    rows = mg.feature_dropout(mg.ones(50, 4, 7), 0.5, True).flatten(2)
    assert (rows == rows[..., :1]).all() and set(rows.flatten().tolist()) == {0, 2}
    with pytest.raises(RuntimeError, match="requires at least 2 dimensions"):
        mg.feature_dropout(mg.ones(3), 0.5, True)


READ_ONLY = np.frombuffer(b"abcd", np.uint8)
WARNINGS: dict[str, tuple[Any, str]] = {
    "from_numpy": (lambda: mg.from_numpy(READ_ONLY), "The given NumPy array is not writable"),
    "frombuffer": (lambda: mg.frombuffer(b"abcd", dtype=mg.uint8), "The given buffer is not writable"),
    "byte index": (lambda: x[mg.tensor([1, 0], dtype=mg.uint8)], "indexing with dtype minigrad.uint8 is now deprecated"),
    "complex": (lambda: mg.ones(2, dtype=mg.complex64).to(mg.float32), "discards the imaginary part"),
    "meshgrid": (lambda: mg.meshgrid(x[0], x[1]), "will be required to pass the indexing argument"),
    "cross": (lambda: mg.cross(mg.ones(3), mg.ones(3)), "without specifying the dim arg is deprecated"),
    "T": (lambda: mg.ones(2, 2, 2).T, "on tensors of dimension other than 2"), "T of a number": (lambda: mg.ones(()).T, "on 0-D"),
    "std": (lambda: mg.ones(0).std(), r"std\(\): degrees of freedom is <= 0"),
    "cov": (lambda: mg.cov(mg.ones(2, 1)), r"cov\(\): degrees of freedom is <= 0"),
    "dropout2d": (lambda: F.dropout2d(mg.ones(2, 3, 4)), "assuming that channel-wise 1D dropout behavior is desired")}


@pytest.mark.parametrize("name", WARNINGS)
def test_what_pytorch_warns_of(name: str) -> None:
    call, message = WARNINGS[name]
    with pytest.warns(UserWarning, match=message) as caught:
        call()
    assert [w.filename for w in caught] == [__file__]


def test_three_dimensions_are_no_image_for_dropout2d() -> None:
    with pytest.warns(UserWarning, match="dropout2d"):
        rows = F.dropout2d(mg.ones(1, 200, 5), 0.5)[0]
    assert (rows == rows[:, :1]).all() and set(rows.flatten().tolist()) == {0, 2}


def test_words_and_classes_that_pytorch_has() -> None:
    with pytest.raises(IndexError, match="index 5 is out of bounds for dimension 0 with size 2"):
        x[5]
    with pytest.raises(TypeError, match=r"~ \(operator.invert\) is only implemented on integer and Boolean-type tensors"):
        operator.invert(x)
    with pytest.raises(RuntimeError, match="There must be one `x` value for each sample point"):
        mg.trapezoid(mg.ones(2), mg.ones(3))
    with pytest.raises(TypeError, match=r"can_cast\(\): expected a minigrad.dtype, not int"):
        mg.can_cast(mg.float32, 1)
    with pytest.raises(TypeError, match=r"eye\(\): argument 'n' must be int, not float"):
        mg.eye(2.5)
    with pytest.raises(TypeError, match=r"full\(\): argument 'fill_value' must be a number, not NoneType"):
        mg.full((2,), None)
    with pytest.raises(ValueError, match="strides not a multiple of the element byte size"):
        mg.from_numpy(np.lib.stride_tricks.as_strided(np.ones(4), (2,), (3,)))
    with pytest.raises(RuntimeError, match="meshgrid expects a non-empty"):
        mg.meshgrid()
    assert type(mg.broadcast_shapes((2, 1), (3,))) is mg.Size
