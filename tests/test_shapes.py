"""PyTorch's functions of shapes and indices, composed of the operations that the table tests: values, gradients, refusals."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad.nn import functional as F

A = np.arange(12.0).reshape(3, 4)
B = np.arange(24.0).reshape(2, 3, 4)
V = np.array([3.0, 1.0, 2.0])
ROWS = np.arange(48.0).reshape(2, 3, 8)


def t(x: Any) -> Any:
    return mg.tensor(np.array(x))


def padded(x: Any, pad: Any, mode: str) -> Any:
    return np.pad(x, [(0, 0)] * (x.ndim - len(pad) // 2) + [(pad[k], pad[k + 1]) for k in range(len(pad) - 2, -1, -2)],
                  mode={"constant": "constant", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}[mode])


# What minigrad gives, and what NumPy or Python does.
SAME: dict[str, tuple[Any, Any]] = {
    "flatten": (lambda: t(B).flatten(), B.reshape(-1)), "flatten some": (lambda: mg.flatten(t(B), 0, 1), B.reshape(6, 4)),
    "flatten a number": (lambda: t(1.0).flatten(), [1.0]), "ravel": (lambda: t(A).T.ravel(), A.T.ravel()),
    "unflatten": (lambda: mg.unflatten(t(A), -1, (2, -1)), A.reshape(3, 2, 2)),
    "reshape, sizes one by one": (lambda: t(A).reshape(2, -1), A.reshape(2, 6)),
    "reshape, a list": (lambda: t(A).reshape([2, 6]), A.reshape(2, 6)),
    "reshape, by name": (lambda: t(A).reshape(shape=(12,)), A.ravel()),
    "reshape_as": (lambda: t(A).reshape_as(t(B[0].T)), A.reshape(4, 3)), "view": (lambda: t(A).view(2, -1), A.reshape(2, 6)),
    "view, NumPy integers": (lambda: t(A).view(np.int64(6), np.int64(2)), A.reshape(6, 2)),
    "permute": (lambda: t(B).permute(2, 0, -2), B.transpose(2, 0, 1)),
    "permute, a tuple": (lambda: t(B).permute((2, 0, 1)), B.transpose(2, 0, 1)),
    "movedim": (lambda: mg.movedim(t(B), (0, 1), (-1, 0)), np.moveaxis(B, (0, 1), (-1, 0))), "T": (lambda: t(B[0]).T, B[0].T),
    "mT": (lambda: t(B).mT, B.swapaxes(1, 2)), "mH": (lambda: t(1j * B).mH, -1j * B.swapaxes(1, 2)),
    "H": (lambda: t(1j * A).H, -1j * A.T),
    "t": (lambda: t(A).t(), A.T), "t of a vector": (lambda: mg.t(t(V)), V),
    "swapaxes": (lambda: t(B).swapaxes(0, 2), B.swapaxes(0, 2)),
    "squeeze several": (lambda: t(A[None, :, None]).squeeze((0, 1, 2)), A), "expand": (lambda: t(V).expand(2, -1), [V, V]),
    "expand_as": (lambda: t(V).expand_as(t(A[:2, :3])), [V, V]), "broadcast_to": (lambda: mg.broadcast_to(t(V), (2, 3)), [V, V]),
    "broadcast_tensors": (lambda: mg.stack(mg.broadcast_tensors(t(V), t([[0.0], [1.0]]))),
                          np.broadcast_arrays(V, np.array([[0.0], [1.0]]))),
    "broadcast_shapes": (lambda: mg.broadcast_shapes((2, 1), (3,), 1), (2, 3)),
    "meshgrid": (lambda: mg.stack(mg.meshgrid(t(V), t(V + 1), indexing="ij")), np.meshgrid(V, V + 1, indexing="ij")),
    "meshgrid xy": (lambda: mg.meshgrid([t(V), t(A[0])], indexing="xy")[1], np.meshgrid(V, A[0])[1]),
    "cartesian_prod": (lambda: mg.cartesian_prod(t(V), t(A[0])), list(itertools.product(V, A[0]))),
    "combinations": (lambda: mg.combinations(t(V)), list(itertools.combinations(V, 2))),
    "combinations with replacement": (lambda: mg.combinations(t(V), 3, True),
                                      list(itertools.combinations_with_replacement(V, 3))),
    "hstack": (lambda: mg.hstack([t(A), t(A)]), np.hstack([A, A])),
    "hstack of vectors": (lambda: mg.hstack([t(V), t(1.0)]), [*V, 1.0]),
    "vstack": (lambda: mg.vstack([t(V), t(V)]), [V, V]), "dstack": (lambda: mg.dstack([t(A), t(A)]), np.dstack([A, A])),
    "column_stack": (lambda: mg.column_stack([t(V), t(A)]), np.column_stack([V, A])),
    "concat": (lambda: mg.concat([t(V), t(V)]), [*V, *V]),
    "concatenate": (lambda: mg.concatenate([t(A), t(A)], axis=1), np.concatenate([A, A], 1)),
    "cat of different dtypes": (lambda: mg.cat([t([1]), t([0.5])]), [1.0, 0.5]),
    "block_diag": (lambda: mg.block_diag(t([[1, 2]]), t(3), t([[4], [5]])),
                   [[1, 2, 0, 0], [0, 0, 3, 0], [0, 0, 0, 4], [0, 0, 0, 5]]),
    "split": (lambda: mg.split(t(V), 2)[1], [2.0]), "split into sizes": (lambda: t(A).split([1, 3], dim=1)[1], A[:, 1:]),
    "chunk": (lambda: t(np.arange(5)).chunk(4)[-1], [4]),
    "tensor_split": (lambda: mg.tensor_split(t(np.arange(5)), 3)[1], [2, 3]),
    "tensor_split at": (lambda: t(np.arange(5)).tensor_split((1, -1))[1], [1, 2, 3]),
    "hsplit": (lambda: mg.hsplit(t(A), 2)[0], A[:, :2]),
    "vsplit": (lambda: t(A).vsplit([1])[1], A[1:]), "dsplit": (lambda: t(B).dsplit(2)[1], B[..., 2:]),
    "flip": (lambda: t(A).flip(0, 1), A[::-1, ::-1]), "fliplr": (lambda: mg.fliplr(t(A)), A[:, ::-1]),
    "flipud": (lambda: t(A).flipud(), A[::-1]),
    "rot90": (lambda: mg.stack([mg.rot90(t(A[:, :3]), k) for k in range(-1, 4)]), [np.rot90(A[:, :3], k) for k in range(-1, 4)]),
    "roll": (lambda: t(A).roll((1, 2), (0, 1)), np.roll(A, (1, 2), (0, 1))),
    "repeat": (lambda: t(V).repeat(2, 2), np.tile(V, (2, 2))),
    "tile": (lambda: t(A).tile(2), np.tile(A, 2)), "repeat_interleave": (lambda: t(V).repeat_interleave(2), np.repeat(V, 2)),
    "repeat_interleave by counts": (lambda: t(A).repeat_interleave(t([0, 2, 1]), 0), np.repeat(A, [0, 2, 1], 0)),
    "repeat_interleave of counts": (lambda: mg.repeat_interleave(t([1, 0, 2])), [0, 2, 2]),
    "tril": (lambda: t(B).tril(-1), np.tril(B, -1)), "triu": (lambda: mg.triu(t(A), 1), np.triu(A, 1)),
    "tril_indices": (lambda: mg.tril_indices(3, 4, 1), np.stack(np.tril_indices(3, 1, 4))),
    "triu_indices": (lambda: mg.triu_indices(3, 3), np.stack(np.triu_indices(3))), "diag": (lambda: t(V).diag(1), np.diag(V, 1)),
    "diag of a matrix": (lambda: mg.diag(t(A), -1), np.diag(A, -1)),
    "diagflat": (lambda: mg.diagflat(t(A[:2, :2])), np.diagflat(A[:2, :2])),
    "diag_embed": (lambda: mg.diag_embed(t(A)), [np.diag(row) for row in A]), "trace": (lambda: t(A).trace(), np.trace(A)),
    "fill_diagonal_": (lambda: t(np.zeros((4, 2))).fill_diagonal_(1), [[1, 0], [0, 1], [0, 0], [0, 0]]),
    "fill_diagonal_, wrapped": (lambda: t(np.zeros((4, 2))).fill_diagonal_(1, wrap=True), [[1, 0], [0, 1], [0, 0], [1, 0]]),
    "fill_diagonal_ of a cube": (lambda: t(np.zeros((2, 2, 2))).fill_diagonal_(3), [[[3, 0], [0, 0]], [[0, 0], [0, 3]]]),
    "slice_copy": (lambda: mg.slice_copy(t(A), 1, 1, step=2), A[:, 1::2]),
    "narrow": (lambda: t(A).narrow(1, -3, 2), A[:, 1:3]), "atleast_3d": (lambda: mg.atleast_3d(t(V)), np.atleast_3d(V)),
    "atleast_2d of several": (lambda: mg.atleast_2d(t(1.0), t(V))[1], [V]),
    "sum_to_size": (lambda: t(A).sum_to_size(3, 1), A.sum(1, keepdims=True)),
    "sum_to_size of rows": (lambda: t(ROWS.swapaxes(0, 1)).sum_to_size(8), ROWS.sum((0, 1))),
    "diagonal_scatter": (lambda: mg.diagonal_scatter(t(np.zeros((3, 3))), t(V)), np.diag(V)),
    "select_scatter": (lambda: t(A).select_scatter(t(V), 1, 0)[:, :2], np.stack([V, A[:, 1]], 1)),
    "slice_scatter": (lambda: t(V).slice_scatter(t([9.0]), start=-1), [3.0, 1.0, 9.0]),
    "unfold": (lambda: t(np.arange(5)).unfold(0, 3, 2), [[0, 1, 2], [2, 3, 4]]),
    **{f"pad {mode}": (lambda mode=mode: F.pad(t(B[None]), (1, 2, 2, 1), mode=mode), padded(B[None], (1, 2, 2, 1), mode))
       for mode in ("constant", "reflect", "replicate", "circular")},
    "pad with a value": (lambda: F.pad(t(V), (1, -1), value=7), [7.0, 3.0, 1.0]),
    "gather": (lambda: t(A).gather(1, t([[0, 0], [1, 3]])), [[0, 0], [5, 7]]),
    "take": (lambda: t(A).take(t([[0, -1]])), [[0, 11]]),
    "take_along_dim": (lambda: mg.take_along_dim(t(A), t([[2], [0], [1]]), 1), [[2], [4], [9]]),
    "put": (lambda: t(V).put(t([0, -1]), t([7.0, 8.0])), [7, 1, 8]),
    "put, adding": (lambda: t(V).put_(t([0, 0]), t([1.0, 1.0]), True), [5, 1, 2]),
    "scatter": (lambda: t(A[0]).scatter(0, t([3, 1]), t([7.0, 8.0])), [0, 8, 2, 7]),
    "scatter a number": (lambda: t(V).scatter_(0, t([1]), 5), [3, 5, 2]),
    "scatter, adding": (lambda: t(V).scatter(0, t([1, 1]), t([1.0, 2.0]), reduce="add"), [3, 4, 2]),
    "scatter, multiplying": (lambda: t(V).scatter(0, t([0, 0]), 2.0, reduce="multiply"), [12, 1, 2]),
    "scatter_add": (lambda: t(V).scatter_add_(0, t([0, 0]), t([1.0, 2.0])), [6, 1, 2]),
    "scatter_reduce": (lambda: t(V).scatter_reduce(0, t([0, 0, 2]), t([9.0, 5.0, 0.5]), "mean", include_self=False), [7, 1, 0.5]),
    "index_select": (lambda: t(A).index_select(1, t([3, 0])), A[:, [3, 0]]),
    "index_add": (lambda: t(V).index_add_(0, t([0, 0]), t([1.0, 2.0]), alpha=2), [9, 1, 2]),
    "index_copy": (lambda: t(V).index_copy(0, t([2]), t([7.0])), [3, 1, 7]),
    "index_fill": (lambda: t(V).index_fill_(0, t([0, 1]), -1), [-1, -1, 2]),
    "index_put": (lambda: t(A).index_put((t([0, 0]), t([1, 1])), t([5.0, 5.0]), accumulate=True)[0], [0, 11, 2, 3]),
    "index_reduce": (lambda: t(V).index_reduce_(0, t([0, 0]), t([2.0, 3.0]), "prod"), [18, 1, 2]),
    "masked_fill": (lambda: t(V).masked_fill_(t(V) > 1, 0), [0, 1, 0]),
    "masked_select": (lambda: t(A).masked_select(t([True, False, False, True])), [0, 3, 4, 7, 8, 11]),
    "masked_scatter": (lambda: t(V).masked_scatter(t([True, False, True]), t([7.0, 8.0, 9.0])), [7, 1, 8]),
    "nonzero": (lambda: t([[1, 0], [0, 2]]).nonzero(), [[0, 0], [1, 1]]),
    "nonzero as a tuple": (lambda: mg.nonzero(t([0, 3, 4]), as_tuple=True)[0], [1, 2]),
    "nonzero_static": (lambda: mg.nonzero_static(t([0, 1]), size=2), [[1], [-1]]),
    "argwhere": (lambda: mg.argwhere(t([0, 1])), [[1]]),
    "isin": (lambda: mg.isin(t([1, 2, 3]), t([2])), [False, True, False]),
    "isin a number": (lambda: mg.isin(t([1, 2]), 2, invert=True), [True, False]),
    "unravel_index": (lambda: mg.stack(mg.unravel_index(t([5, 11]), (3, 4))), np.stack(np.unravel_index([5, 11], (3, 4)))),
    "one_hot": (lambda: F.one_hot(t([0, 2]), 4), [[1, 0, 0, 0], [0, 0, 1, 0]]),
    "embedding": (lambda: F.embedding(t([[2, 0]]), t(A)), [[A[2], A[0]]]),
    "bags, mean": (lambda: F.embedding_bag(t([0, 1, 2]), t(A), t([0, 1, 1])), [A[0], np.zeros(4), A[1:].mean(0)]),
    "bags, max": (lambda: F.embedding_bag(t([[0, 2], [1, 1]]), t(-A), mode="max"), [-A[0], -A[1]]),
    "bags, weighted": (lambda: F.embedding_bag(t([[0, 2]]), t(A), mode="sum", per_sample_weights=t([[2.0, 3.0]])),
                       [2 * A[0] + 3 * A[2]]),
    "bags, padding": (lambda: F.embedding_bag(t([[0, 2, 2]]), t(A), padding_idx=2), [A[0]]),
}


@pytest.mark.parametrize("name", SAME)
def test_the_values_are_numpys(name: str) -> None:
    call, expected = SAME[name]
    found = call()
    found = found.numpy() if isinstance(found, mg.Tensor) else found
    expected = np.asarray(expected)
    assert np.shape(found) == expected.shape
    np.testing.assert_allclose(found, expected)


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "flatten": (lambda: t(B).flatten(2, 1), RuntimeError, r"start_dim \(2\) cannot come after end_dim \(1\)"),
    "unflatten": (lambda: t(A).unflatten(1, (3, 2)), RuntimeError, "don't multiply up to the size of dim 1"),
    "permute": (lambda: t(A).permute(0), RuntimeError, "not equal to len"),
    "squeeze": (lambda: t(A).squeeze(2), IndexError, "Dimension out of range"),
    "t": (lambda: t(B).t(), RuntimeError, r"expects a tensor with <= 2 dimensions"),
    "mT": (lambda: t(V).mT, RuntimeError, "only supported on matrices"),
    "H": (lambda: t(B).H, RuntimeError, "only supported on matrices"),
    "movedim": (lambda: t(A).movedim((0, 1), (0,)), RuntimeError, "same number of dims"),
    "cat of nothing": (lambda: mg.cat([]), (RuntimeError, TypeError, ValueError), "non-empty"),
    "vstack of one tensor": (lambda: mg.vstack(t(A)), TypeError, "tuple of Tensors, not Tensor"),
    "broadcast_shapes": (lambda: mg.broadcast_shapes((2,), (3,)), RuntimeError, "cannot be broadcast to a single shape"),
    "meshgrid": (lambda: mg.meshgrid(t(V), indexing="ji"), RuntimeError, "xy"),
    "split": (lambda: t(V).split(0), RuntimeError, "split_size"),
    "chunk": (lambda: t(V).chunk(0), RuntimeError, "greater than 0"),
    "hsplit": (lambda: t(A).hsplit(3), RuntimeError, "not divisible"),
    "narrow": (lambda: t(V).narrow(0, 2, 2), RuntimeError, "exceeds dimension size"),
    "rot90": (lambda: mg.rot90(t(A), 1, (0, 0)), RuntimeError, "different"),
    "repeat": (lambda: t(A).repeat(2), RuntimeError, "can not be smaller"),
    "diag": (lambda: t(B).diag(), RuntimeError, "1D or 2D"),
    "trace": (lambda: t(V).trace(), RuntimeError, "expected a matrix"),
    "pad mode": (lambda: F.pad(t(V), (1, 1), "mirror"), NotImplementedError, "mirror"),
    "pad reflect": (lambda: F.pad(t(A), (4, 0), "reflect"), RuntimeError, "less than the corresponding input dimension"),
    "gather": (lambda: t(A).gather(1, t([[4]])), IndexError, "index 4 is out of bounds for dimension 1 with size 4"),
    "scatter": (lambda: t(V).scatter(0, t([3]), t([1.0])), IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
    "scatter reduce": (lambda: t(V).scatter(0, t([0]), 1.0, reduce="max"), RuntimeError, "either add or multiply"),
    "take": (lambda: t(V).take(t([3])), IndexError, "index 3 is out of bounds"),
    "index_select": (lambda: t(V).index_select(0, t([-1])), IndexError, "index -1"),
    "index_put": (lambda: t(V).index_put((t([0]),), t([1])), RuntimeError, "source and destination dtypes match"),
    "masked_fill": (lambda: t(V).masked_fill(t([1, 0, 1]), 0), RuntimeError, "only supports boolean masks"),
    "masked_fill value": (lambda: t(V).masked_fill(t(V) > 1, t(V)), RuntimeError, "0-dimensional value tensor"),
    "masked_select": (lambda: t(V).masked_select(t([1, 0, 1])), RuntimeError, "BoolTensor"),
    "embedding": (lambda: F.embedding(t([3]), t(A)), IndexError, "index 3 is out of bounds for dimension 0 with size 3"),
    "embedding of floats": (lambda: F.embedding(t([1.0]), t(A)), RuntimeError, "indices"),
    "one_hot": (lambda: F.one_hot(t([3]), 3), RuntimeError, "smaller than num_classes"),
    "bags": (lambda: F.embedding_bag(t([0]), t(A)), ValueError, "offsets has to be a 1D Tensor but got None"),
    "unravel_index": (lambda: mg.unravel_index(t([12]), (3, 4)), RuntimeError, "out of bounds"),
    "as_strided": (lambda: t(V).as_strided((2,), (3,)), RuntimeError, "out of bounds for storage of size 3"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_does_not_fit_is_refused(name: str) -> None:
    call, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        call()


def test_embedding_gradient_settings() -> None:
    table = mg.tensor(A, requires_grad=True)
    places = t([0, 2, 2])
    F.embedding(places, table, padding_idx=0).sum().backward()
    assert table.grad.tolist() == [[0] * 4, [0] * 4, [2] * 4]
    table.grad = None
    F.embedding(places, table, scale_grad_by_freq=True).sum().backward()
    assert table.grad.tolist() == [[1] * 4, [0] * 4, [1] * 4]


def test_embedding_renorms_the_rows_it_looks_up() -> None:
    table = mg.tensor([[3.0, 4.0], [0.3, 0.4], [6.0, 8.0]])
    out = F.embedding(mg.tensor([0, 1]), table, max_norm=1.0)
    np.testing.assert_allclose(table.numpy(), [[0.6, 0.8], [0.3, 0.4], [6, 8]], rtol=1e-5)
    np.testing.assert_allclose(out.numpy(), [[0.6, 0.8], [0.3, 0.4]], rtol=1e-5)


def test_large_scatter_adds_are_the_small_ones() -> None:
    """The library chooses its way by size; all ways give the same."""
    rng = np.random.default_rng(0)
    for rows, width, count in [(7, 100, 1000), (300, 80, 900), (50, 3, 4000), (40, 1, 5000), (1, 64, 100)]:
        places, values = rng.integers(-rows, rows, count), rng.normal(size=(count, width))
        x = mg.zeros(rows, width, dtype=mg.float64, requires_grad=True)
        x[t(places)].backward(t(values))
        expected = np.zeros((rows, width))
        np.add.at(expected, places, values)
        np.testing.assert_allclose(x.grad.numpy(), expected, rtol=1e-12, atol=1e-12)
    x = mg.zeros(6, 50, 7, dtype=mg.float64)
    places, values = rng.integers(0, 50, 100), rng.normal(size=(6, 100, 7))
    x.index_add_(1, t(places), t(values))
    np.add.at(expected := np.zeros((6, 50, 7)), (slice(None), places), values)
    np.testing.assert_allclose(x.numpy(), expected, rtol=1e-12, atol=1e-12)


def test_out_takes_the_result() -> None:
    out = mg.empty(0)
    assert mg.cat([t(V), t(V)], out=out.double()).shape == (6,)
    assert mg.stack([mg.ones(2), mg.ones(2)], out=out) is out
    assert out.tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize(("name", "args"), [("expand_copy", ((3, 4),)), ("permute_copy", ((1, 0),)), ("select_copy", (0, 1)),
                                            ("t_copy", ()), ("view_copy", ((12,),)), ("unbind_copy", ()), ("split_copy", (2,))])
def test_copies_of_views(name: str, args: Any) -> None:
    x = t(A)
    copied = getattr(mg, name)(x, *args)
    view = x.t() if name == "t_copy" else getattr(x, name.removesuffix("_copy"))(*args)
    copied, view = (y if isinstance(y, tuple) else (y,) for y in (copied, view))
    x.zero_()
    assert all(not v.any() for v in view)
    assert any(c.any() for c in copied)


def test_what_is_expanded_has_the_strides_of_unsqueeze() -> None:
    v, m = mg.arange(5.), mg.ones(4, 1)
    assert v.expand(1, 1, 5).stride() == v[:].unsqueeze(0).unsqueeze(1).stride() == (5, 5, 1)
    assert v.expand(1, 5).expand(2, 2, 5).stride() == (0, 0, 1) and m.expand(3, 4, 1).stride() == (0, 1, 1)
    assert mg.ones(2, 1, 3).expand(2, 4, 3).stride() == (3, 0, 1)


def test_matrices_of_no_dimensions_are_transposed_with_a_warning() -> None:
    z = mg.tensor(1 + 2j)
    for name, expected in (("mT", 1 + 2j), ("mH", 1 - 2j)):
        with pytest.warns(UserWarning, match="of a 0-dimensional tensor are deprecated"):
            assert getattr(z, name).item() == expected
    with pytest.warns(UserWarning, match="of a 0-dimensional tensor are deprecated"):
        assert z.adjoint().item() == 1 - 2j


def test_resize_lays_elements_out_in_the_order_asked_for() -> None:
    x = mg.arange(24.).resize_((1, 2, 3, 4), memory_format=mg.channels_last)
    assert x.is_contiguous(memory_format=mg.channels_last) and x[0, :, 0, 0].tolist() == [0., 1.] and x.shape == (1, 2, 3, 4)
    assert mg.zeros(24).resize_as_(x, memory_format=mg.preserve_format).stride() == x.stride()
    turned = mg.ones(2, 3).t()
    assert turned.resize_as_(turned).stride() == (1, 3)
    assert turned.resize_((3, 2), memory_format=mg.contiguous_format).stride() == (2, 1)
    with pytest.raises(RuntimeError, match="required rank 5"):
        mg.ones(6).resize_((2, 3), memory_format=mg.channels_last_3d)
    with pytest.raises(RuntimeError, match="overflowed with sizes"):
        mg.ones(()).resize_([2, 4, 2**29, 2**29])


@pytest.mark.parametrize(("where", "match"), [(1.1, "to have dtype of long"), ([[1]], "zero-dimensional or one-dimensional")])
def test_tensor_split_asks_a_tensor_for_places(where: Any, match: str) -> None:
    with pytest.raises(RuntimeError, match=match):
        mg.tensor_split(mg.ones(4), mg.tensor(where))


def test_shapes_that_cannot_be_broadcast_are_refused_by_what_is_wrong() -> None:
    with pytest.raises(ValueError, match="negative dimension"):
        mg.broadcast_shapes((1, -1), (2,))
    with pytest.raises(RuntimeError, match="should be of type ints, a tuple of ints, or a list of ints, got 1.5"):
        mg.broadcast_shapes(1.5)


def test_block_diag_of_nothing_is_a_row_of_nothing() -> None:
    assert mg.block_diag().shape == (1, 0)
