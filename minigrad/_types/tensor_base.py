"""The bare tensor: an array and its place in the graph. Everything below :class:`minigrad.Tensor` knows only this class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from minigrad._types.annotations import Tensor


class TensorBase:
    """An array and its place in the graph. What users hold is :class:`minigrad.Tensor`, a subclass with the methods."""

    __slots__ = ("array", "node")
    array: Any  # the NumPy or CuPy array that holds the elements
    node: Any  # the Node that made this tensor, LEAF for a leaf that requires grad, None where no gradient is wanted
    result_class: type[Tensor]  # the class of an operation's result; a Parameter's is Tensor


def unwrap(x: Any) -> Any:
    """The array that the tensor `x` holds; anything else as it is."""
    return x.array if isinstance(x, TensorBase) else x


class Leaf:
    """The type of ``LEAF``, which a leaf that requires grad has in the place of a node: its gradient flows to the tensor
    itself."""

    grad_fn = None


LEAF = Leaf()
