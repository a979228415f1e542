"""Sequences of different lengths in one batch: padded to one length, or packed step by step."""

from __future__ import annotations

from typing import Any, NamedTuple, Sequence

import numpy as np

from minigrad._tensor import Tensor
from minigrad.errors import ArgumentError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.ops.creation import tensor
from minigrad.ops.shaping.slicing import cat, constant_pad_nd, stack

__all__ = ["PackedSequence", "invert_permutation", "pack_padded_sequence", "pack_sequence", "pad_packed_sequence", "pad_sequence",
           "unpack_sequence", "unpad_sequence"]


class _PackedFields(NamedTuple):
    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


class PackedSequence(_PackedFields):
    """A batch of sequences, longest first, step by step without padding: what the recurrent layers take and give.

    Attributes: ``data``, all elements of step 0, then of step 1, ...; ``batch_sizes``, how many sequences reach each step;
    ``sorted_indices`` and ``unsorted_indices``, from the given order to that of length and back, or None.
    """

    __slots__ = ()

    def __new__(cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None,
                unsorted_indices: Any = None) -> PackedSequence:
        if isinstance(data, tuple) and batch_sizes is None:
            data, batch_sizes = data
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With its data on another device, or of another dtype; see ``Tensor.to``."""
        data = self.data.to(*args, **kwargs)
        if data is self.data:
            return self
        indices = [None if k is None else k.to(data.device) for k in (self.sorted_indices, self.unsorted_indices)]
        return type(self)(data, self.batch_sizes, *indices)

    def double(self) -> PackedSequence:
        """With float64 data."""
        return type(self)(self.data.double(), *self[1:])

    def float(self) -> PackedSequence:
        """With float32 data."""
        return type(self)(self.data.float(), *self[1:])

    def half(self) -> PackedSequence:
        """With float16 data."""
        return type(self)(self.data.half(), *self[1:])

    def bfloat16(self) -> PackedSequence:
        """With bfloat16 data."""
        return type(self)(self.data.bfloat16(), *self[1:])

    def long(self) -> PackedSequence:
        """With int64 data."""
        return type(self)(self.data.long(), *self[1:])

    def int(self) -> PackedSequence:
        """With int32 data."""
        return type(self)(self.data.int(), *self[1:])

    def cpu(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """In host memory."""
        return self.to("cpu")

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """On a GPU."""
        return self.to(*(args or ("cuda",)))

    @property
    def is_cuda(self) -> bool:
        """Whether the data are on a GPU."""
        return bool(self.data.is_cuda)


def invert_permutation(permutation: Any) -> Any:
    """The permutation that undoes `permutation`; None for None."""
    return None if permutation is None else permutation.argsort()


def _as_ints(lengths: Any) -> list[int]:
    return lengths.tolist() if isinstance(lengths, Tensor) else [int(n) for n in lengths]


def pack_padded_sequence(input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True) -> PackedSequence:
    """Pack the padded batch `input`, of shape (T, N, *), or (N, T, *) with `batch_first`.

    Args:
        lengths: how long each sequence is, as a list or a tensor.
        enforce_sorted: they come longest first; otherwise they are sorted here, and given back in their own order.
    """
    sizes = _as_ints(lengths)
    order = None
    if not enforce_sorted:
        ranks = sorted(range(len(sizes)), key=lambda k: -sizes[k])
        order = tensor(ranks, device=input.device)
        input, sizes = input.index_select(0 if batch_first else 1, order), [sizes[k] for k in ranks]
    if batch_first:
        input = input.transpose(0, 1)
    if len(sizes) != input.shape[1]:
        raise ShapeError(f"Expected `len(lengths)` to be equal to batch_size, but got {len(sizes)} (batch_size={input.shape[1]})")
    if any(n <= 0 for n in sizes):
        raise RuntimeValueError("Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= "
                                f"0: {sizes}")
    if any(a < b for a, b in zip(sizes, sizes[1:])):
        raise RuntimeValueError("`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
                                "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this "
                                "requirement")
    if sizes[0] > input.shape[0]:
        raise ShapeError(f"pack_padded_sequence: a length is {sizes[0]}, but the sequences are padded to {input.shape[0]}")
    counts = [sum(n > step for n in sizes) for step in range(sizes[0])]
    return PackedSequence(cat([input[step, :n] for step, n in enumerate(counts)]), tensor(counts), order)


def pad_packed_sequence(sequence: Any, batch_first: bool = False, padding_value: float = 0.0,
                        total_length: int | None = None) -> tuple[Any, Any]:
    """The inverse of :func:`pack_padded_sequence`: the padded batch and the lengths.

    `total_length` pads further than the longest sequence. Raises ``ValueError`` if it is too short.
    """
    counts = _as_ints(sequence.batch_sizes)
    steps = len(counts)
    if total_length is not None:
        if total_length < steps:
            raise InvalidValueError("Expected total_length to be at least the length of the longest sequence in input, but got "
                                    f"total_length={total_length} and max sequence length being {steps}")
        steps = total_length
    rest = (0, 0) * (sequence.data.ndim - 1)
    rows = [constant_pad_nd(part, pad=(*rest, 0, counts[0] - len(part)),
                            value=padding_value) for part in sequence.data.split(counts)]
    padded = constant_pad_nd(stack(rows), pad=(*rest, 0, 0, 0, steps - len(counts)), value=padding_value)
    lengths = tensor([sum(n > k for n in counts) for k in range(counts[0])])
    if batch_first:
        padded = padded.transpose(0, 1)
    order = sequence.unsorted_indices
    if order is not None:
        padded, lengths = padded.index_select(0 if batch_first else 1, order), lengths[order.cpu()]
    return padded, lengths


def pad_sequence(sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right") -> Any:
    """Sequences (L_i, *) stacked to (T, N, *), or (N, T, *) with `batch_first`, where T is the longest length.

    >>> import minigrad as mg
    >>> pad_sequence([mg.tensor([1, 2]), mg.tensor([3])], batch_first=True)
    tensor([[1, 2],
            [3, 0]])
    """
    if padding_side not in ("left", "right"):
        raise InvalidValueError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    if not isinstance(sequences, (list, tuple, Tensor)):
        raise ArgumentError(f"pad_sequence: expected a list of tensors, but got {type(sequences).__name__}")
    sequences = list(sequences)
    longest = max(len(s) for s in sequences)

    def pad(s: Any) -> Any:
        lack = longest - len(s)
        return constant_pad_nd(s, pad=(0, 0) * (s.ndim - 1) + ((lack, 0) if padding_side == "left" else (0, lack)),
                               value=padding_value)
    return stack([pad(s) for s in sequences], dim=0 if batch_first else 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """The inverse of :func:`pad_sequence`: a list of sequences of the given lengths."""
    rows = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    return [rows[k, :n] for k, n in enumerate(_as_ints(lengths))]


def pack_sequence(sequences: Sequence[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Pack a list of sequences; see :func:`pack_padded_sequence`."""
    return pack_padded_sequence(pad_sequence(sequences), np.array([len(s) for s in sequences]), enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: Any) -> list[Any]:
    """The inverse of :func:`pack_sequence`."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True)
