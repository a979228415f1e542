"""Rows of a table by number: embeddings, their bags, and the table of the identity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad._types.tensor_base import TensorBase, unwrap
from minigrad.errors import DtypeError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.ops.copying import clone
from minigrad.ops.indexing.indexing import add_rows, in_bounds, select_rows
from minigrad.ops.indexing.scatter import reduce_at
from minigrad.ops.reducing.reduction import vector_norm
from minigrad.ops.shaping.shape import constant_full, ravel, unsqueeze
from minigrad.recording import call
from minigrad.recording.argument_errors import dtype_name, require_one_device
from minigrad.recording.clock import ledger
from minigrad.recording.device_guard import on_device_of_inputs
from minigrad.recording.inplace import refuse_read_only
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import Tensor

__all__: list[str] = []


@op(discrete=("input",), called="embedding")
def rows_of(weight: Any, input: Any, *, padding_idx: Any = None, scale_grad_by_freq: Any = False) -> Any:
    """``weight[input]``; the settings concern the gradient, see :func:`embedding`."""
    return weight.take(row_numbers(input, weight.shape[0]), axis=0)
@rows_of.derivative("weight")
def rows_of_wrt_weight(g: Any, input: Any, weight_shape: Any, padding_idx: Any, scale_grad_by_freq: Any) -> Any:
    return collect_rows(g, input, rows=weight_shape[0], padding_idx=padding_idx, by_frequency=scale_grad_by_freq)


@op(discrete=("index",), opmath=True)
def collect_rows(input: Any, index: Any, *, rows: Any, padding_idx: Any, by_frequency: Any) -> Any:
    """The sum, for each of `rows` numbers, of the rows of `input` that `index` gives it: the adjoint of :func:`spread_rows`.

    The numbers were looked at when the rows were taken: to do so again would have to wait for a GPU.
    """
    places = index.astype(np.intp, copy=False).reshape(-1)
    values = input.reshape(places.shape[0], input.shape[-1])
    if by_frequency:
        values = values / frequencies(places, rows, input.dtype)[:, None]
    out = _arrays.library_of(values).sum_rows(values, places, rows)
    if padding_idx is not None:
        out[padding_idx] = 0
    return out
@collect_rows.derivative("input")
def collect_rows_wrt_input(g: Any, index: Any, padding_idx: Any, by_frequency: Any) -> Any:
    return spread_rows(g, index, padding_idx=padding_idx, by_frequency=by_frequency)


@op(discrete=("index",), called="embedding")
def spread_rows(input: Any, index: Any, *, padding_idx: Any, by_frequency: Any) -> Any:
    """The rows of `input` that `index` names, those of the padding as zeros, divided by how often each is named."""
    places = index.astype(np.intp, copy=False)
    out = input.take(places, axis=0)
    if by_frequency:
        out = out / frequencies(places.reshape(-1), input.shape[0], input.dtype).reshape(*places.shape, 1)
    if padding_idx is not None:
        out[places == padding_idx] = 0
    return out
@spread_rows.derivative("input")
def spread_rows_wrt_input(g: Any, index: Any, input_shape: Any, padding_idx: Any, by_frequency: Any) -> Any:
    return collect_rows(g, index, rows=input_shape[0], padding_idx=padding_idx, by_frequency=by_frequency)


def frequencies(places: Any, rows: int, dtype: Any) -> Any:
    """How often each of `places` appears among them."""
    return np.bincount(places, minlength=rows)[places].astype(dtype)


def row_numbers(index: Any, rows: int) -> Any:
    if index.dtype.kind not in "iu":
        raise DtypeError("Expected tensor for argument #1 'indices' to have one of the following scalar types: Long, Int; but "
                         f"got {dtype_name(index.dtype)} instead")
    return in_bounds(index, rows, 0, negative=False)


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None, max_norm: float | None = None,
              norm_type: float = 2.0, scale_grad_by_freq: bool = False, sparse: bool = False) -> Tensor:
    """The rows of the table `weight`, of shape (V, D), that the integers `input` name: shape ``(*input.shape, D)``.

    Args:
        padding_idx: a row that gets no gradient.
        max_norm: rows that are looked up and whose `norm_type`-norm exceeds this are scaled down to it, in `weight` itself.
        scale_grad_by_freq: divide each row's gradient by how often `input` names it.
        sparse: accepted for compatibility; the gradient is dense, with the same values.

    Raises ``IndexError`` for a number outside of the table.

    >>> import minigrad
    >>> table = minigrad.tensor([[0., 0.], [1., 2.], [3., 4.]])
    >>> minigrad.nn.functional.embedding(minigrad.tensor([2, 1]), table).tolist()
    [[3.0, 4.0], [1.0, 2.0]]
    """
    if len(weight.shape) != 2:
        raise ShapeError(f"embedding: 'weight' must be 2-D, got shape {list(weight.shape)}")
    padding = wrap_padding_idx(padding_idx, weight.shape[0])
    if max_norm is not None:
        renorm_rows(weight, input, max_norm, norm_type)
    return rows_of(weight, input, padding_idx=padding, scale_grad_by_freq=scale_grad_by_freq)


def wrap_padding_idx(padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is None:
        return None
    assert -rows <= padding_idx < rows, "Padding_idx must be within num_embeddings"
    return padding_idx % rows


@on_device_of_inputs
def renorm_rows(weight: Any, input: Any, max_norm: float, norm_type: float) -> None:
    """Scale the rows of `weight` that `input` names, in place, to a norm of at most `max_norm`."""
    require_one_device("embedding", weight=weight, input=input)
    table = unwrap(weight)
    places = np.unique(row_numbers(unwrap(input), table.shape[0]))
    rows = table[places]
    norms: Any = vector_norm(rows, norm_type, 1)
    large = norms > max_norm
    if large.any():
        refuse_read_only(table, "embedding(max_norm=...)")
        table[places[large]] = rows[large] * (max_norm / (norms[large] + 1e-7))[:, None].astype(table.dtype)
        ledger.record(table, "embedding(max_norm=...)")


@on_device_of_inputs
def embedding_bag(input: Tensor, weight: Tensor, offsets: Tensor | None = None, max_norm: float | None = None,
                  norm_type: float = 2, scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False,
                  per_sample_weights: Tensor | None = None, include_last_offset: bool = False,
                  padding_idx: int | None = None) -> Tensor:
    """The sum, mean or maximum of the rows of `weight` in each bag of numbers.

    A two-dimensional `input` has one bag in each row; in a vector the bags begin at `offsets`. An empty bag gives zeros.

    Args:
        per_sample_weights: a factor for each row looked up, of `input`'s shape; for ``mode="sum"``.
        include_last_offset: the last of `offsets` is the end of the last bag.
        padding_idx: rows of this number do not count.
    """
    if mode not in ("sum", "mean", "max"):
        raise InvalidValueError("embedding_bag: mode has to be one of sum, mean or max")
    if per_sample_weights is not None:
        if mode != "sum":
            raise NotImplementedError("embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for "
                                      f"mode='sum' (got mode='{mode}')")
        if tuple(per_sample_weights.shape) != tuple(input.shape):
            raise ShapeError(f"embedding_bag: If per_sample_weights ({list(per_sample_weights.shape)}) is not None, then it must "
                             f"have the same shape as the input ({list(input.shape)})")
    require_one_device("embedding_bag", input=input, weight=weight, offsets=offsets, per_sample_weights=per_sample_weights)
    numbers = unwrap(input)
    if len(weight.shape) != 2:
        raise ShapeError(f"embedding_bag: 'weight' must be 2-D, got shape {list(weight.shape)}")
    if numbers.ndim == 2:
        if offsets is not None:
            raise InvalidValueError("embedding_bag: if input is 2D, then offsets has to be None, as input is treated is a "
                                    "mini-batch of fixed length sequences")
        bags, each = numbers.shape
        bag = np.repeat(np.arange(bags, like=numbers), each)
    elif numbers.ndim == 1:
        if offsets is None:
            raise InvalidValueError("embedding_bag: offsets has to be a 1D Tensor but got None")
        starts = unwrap(offsets)
        if starts.ndim != 1:
            raise InvalidValueError("embedding_bag: offsets has to be a 1D Tensor")
        if starts.size and int(starts[0]) != 0:
            raise RuntimeValueError("embedding_bag: offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to "
                                    f"start from position 0. However, got {int(starts[0])}")
        if starts.size and int(starts[-1]) > numbers.size:
            raise RuntimeValueError(f"embedding_bag: offsets[-1] can not be greater than input's length ({numbers.size}), but "
                                    f"got offsets[-1] of {int(starts[-1])}")
        starts = starts[:-1] if include_last_offset else starts
        bags = starts.shape[0]
        bag = np.searchsorted(starts, np.arange(numbers.size, like=numbers), side="right") - 1
    else:
        raise InvalidValueError(f"embedding_bag: input has to be 1D or 2D Tensor, but got Tensor of dimension {numbers.ndim}")
    padding = wrap_padding_idx(padding_idx, weight.shape[0])
    rows = embedding(ravel(input), weight, padding, max_norm, norm_type, scale_grad_by_freq)
    counted = numbers.reshape(-1) != (-1 if padding is None else padding)
    counts = np.bincount(bag[counted], minlength=bags)
    if not counted.all():
        places = np.flatnonzero(counted)
        rows, bag = select_rows(rows, places, dim=0), bag[places]
        if per_sample_weights is not None:
            per_sample_weights = select_rows(ravel(per_sample_weights), places, dim=0)
    if per_sample_weights is not None:
        rows = rows * unsqueeze(ravel(per_sample_weights), dim=1)
    empty = constant_full(rows, size=(bags, weight.shape[1]))
    if mode == "max":
        index = np.broadcast_to(bag[:, None], rows.shape)
        largest = reduce_at(empty, index, rows, dim=0, reduce="amax", include_self=False)
        return clone(largest)  # its node keeps `largest`, and the result is the caller's to change
    total = add_rows(empty, bag, rows, dim=0)
    if mode == "sum":
        return total
    divisor = np.maximum(counts, 1).astype(unwrap(weight).dtype)[:, None]
    average: Tensor = total / (call.constant(divisor, weight) if isinstance(weight, TensorBase) else divisor)
    return average


@op(differentiable=False, layout="contiguous")
def unit_rows(input: Any, *, num_classes: Any) -> Any:
    """For each element of `input` the row of the identity matrix of that number."""
    return (input[..., None] == np.arange(num_classes, like=input)).astype(np.int64)


@on_device_of_inputs
def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """int64 zeros with a new last dimension of `num_classes`, and a one at the place that `tensor`, int64, names.

    With ``num_classes=-1`` it is one more than the largest value.

    >>> import minigrad
    >>> minigrad.nn.functional.one_hot(minigrad.tensor([0, 2])).tolist()
    [[1, 0, 0], [0, 0, 1]]
    """
    values = unwrap(tensor)
    if values.dtype != np.int64:
        raise DtypeError(f"one_hot is only applicable to index tensor of type LongTensor, got {dtype_name(values.dtype)}")
    if not values.size:
        if num_classes <= 0:
            raise RuntimeValueError("one_hot: Can not infer total number of classes from empty tensor.")
    else:
        if int(values.min()) < 0:
            raise RuntimeValueError("one_hot: Class values must be non-negative.")
        if num_classes == -1:
            num_classes = int(values.max()) + 1
        elif num_classes < 1:
            raise RuntimeValueError("one_hot: num_classes should be positive")
        elif int(values.max()) >= num_classes:
            raise RuntimeValueError(f"one_hot: Class values must be smaller than num_classes ({num_classes}), got "
                                    f"{int(values.max())}")
    return unit_rows(tensor, num_classes=num_classes)
