"""The gradients of convolutions as functions of their own, by the input and by the weight."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from minigrad.errors import ShapeError
from minigrad.ops.neural.convolution import check_steps, convolution_transpose, convolution_weight
from minigrad.ops.neural.sliding_window import exact_padding, per_dim

if TYPE_CHECKING:
    from collections.abc import Sequence

    from minigrad._tensor import Tensor
    from minigrad._types.annotations import IntOrInts

__all__ = ["conv1d_input", "conv1d_weight", "conv2d_input", "conv2d_weight", "conv3d_input", "conv3d_weight"]


def conv1d_input(input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: IntOrInts = 1, padding: IntOrInts = 0,
                 dilation: IntOrInts = 1, groups: int = 1) -> Tensor:
    """The gradient of :func:`~minigrad.nn.functional.conv1d` by its input; see :func:`conv2d_input`.

    >>> import minigrad as mg
    >>> mg.nn.grad.conv1d_input((1, 1, 4), mg.tensor([[[1., 2.]]]), mg.ones(1, 1, 3))
    tensor([[[1., 3., 3., 2.]]])
    """
    settings = _settings("conv1d_input", 1, input_size, weight.shape, grad_output, stride, padding, dilation, groups)
    return convolution_transpose(grad_output, weight, **settings)


def conv1d_weight(input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: IntOrInts = 1, padding: IntOrInts = 0,
                  dilation: IntOrInts = 1, groups: int = 1) -> Tensor:
    """The gradient of :func:`~minigrad.nn.functional.conv1d` by its weight; see :func:`conv2d_weight`.

    >>> import minigrad as mg
    >>> mg.nn.grad.conv1d_weight(mg.tensor([[[1., 2., 3.]]]), (1, 1, 2), mg.ones(1, 1, 2))
    tensor([[[3., 5.]]])
    """
    settings = _settings("conv1d_weight", 1, input.shape, weight_size, grad_output, stride, padding, dilation, groups)
    return convolution_weight(input, grad_output, **settings)


def conv2d_input(input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: IntOrInts = 1, padding: IntOrInts = 0,
                 dilation: IntOrInts = 1, groups: int = 1) -> Tensor:
    """The gradient of :func:`~minigrad.nn.functional.conv2d` by its input, of shape `input_size`, given that of its result.

    Args:
        input_size: (n, channels, height, width), of the input.
        weight: (out, channels / groups, kernel height, kernel width).
        grad_output: (n, out, height', width'), the gradient of the result.
        stride, padding, dilation, groups: those of the convolution.

    Raises ``RuntimeError`` where `grad_output` has not the shape of that convolution's result.

    >>> import minigrad as mg
    >>> mg.nn.grad.conv2d_input((1, 1, 2, 2), mg.ones(1, 1, 2, 2), mg.tensor([[[[3.]]]])).tolist()
    [[[[3.0, 3.0], [3.0, 3.0]]]]
    """
    settings = _settings("conv2d_input", 2, input_size, weight.shape, grad_output, stride, padding, dilation, groups)
    return convolution_transpose(grad_output, weight, **settings)


def conv2d_weight(input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: IntOrInts = 1, padding: IntOrInts = 0,
                  dilation: IntOrInts = 1, groups: int = 1) -> Tensor:
    """The gradient of :func:`~minigrad.nn.functional.conv2d` by its weight, of shape `weight_size`, given that of its result.

    The arguments are those of :func:`conv2d_input`, with the input in the place of its size.

    >>> import minigrad as mg
    >>> x = mg.tensor([[[[1., 2.], [3., 4.]]]])
    >>> mg.nn.grad.conv2d_weight(x, (1, 1, 2, 2), mg.tensor([[[[2.]]]])).tolist()
    [[[[2.0, 4.0], [6.0, 8.0]]]]
    """
    settings = _settings("conv2d_weight", 2, input.shape, weight_size, grad_output, stride, padding, dilation, groups)
    return convolution_weight(input, grad_output, **settings)


def conv3d_input(input_size: Sequence[int], weight: Tensor, grad_output: Tensor, stride: IntOrInts = 1, padding: IntOrInts = 0,
                 dilation: IntOrInts = 1, groups: int = 1) -> Tensor:
    """The gradient of :func:`~minigrad.nn.functional.conv3d` by its input; see :func:`conv2d_input`.

    >>> import minigrad as mg
    >>> mg.nn.grad.conv3d_input((1, 1, 1, 1, 2), mg.ones(1, 1, 1, 1, 2), mg.tensor([[[[[3.]]]]])).flatten()
    tensor([3., 3.])
    """
    settings = _settings("conv3d_input", 3, input_size, weight.shape, grad_output, stride, padding, dilation, groups)
    return convolution_transpose(grad_output, weight, **settings)


def conv3d_weight(input: Tensor, weight_size: Sequence[int], grad_output: Tensor, stride: IntOrInts = 1, padding: IntOrInts = 0,
                  dilation: IntOrInts = 1, groups: int = 1) -> Tensor:
    """The gradient of :func:`~minigrad.nn.functional.conv3d` by its weight; see :func:`conv2d_weight`.

    >>> import minigrad as mg
    >>> mg.nn.grad.conv3d_weight(mg.ones(1, 1, 1, 1, 2), (1, 1, 1, 1, 2), mg.tensor([[[[[3.]]]]])).flatten()
    tensor([3., 3.])
    """
    settings = _settings("conv3d_weight", 3, input.shape, weight_size, grad_output, stride, padding, dilation, groups)
    return convolution_weight(input, grad_output, **settings)


def _settings(name: str, ndim: int, input_size: Any, weight_size: Any, grad_output: Any, stride: Any, padding: Any, dilation: Any,
              groups: int) -> dict[str, Any]:
    """The settings of the convolution, with its padding in the exact form. Raises where the shapes do not fit together."""
    stride, padding, dilation = (per_dim(name, argument, value, ndim) for argument, value in (
        ("stride", stride), ("padding", padding), ("dilation", dilation)))
    check_steps(name, stride, dilation)
    size, kernel = tuple(input_size[2:]), tuple(weight_size[2:])
    positions = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, k, s, d in zip(size, padding, kernel, stride, dilation)]
    if (len(input_size), len(weight_size)) != (ndim + 2, ndim + 2) or input_size[1] != weight_size[1] * groups:
        raise ShapeError(f"{name}: an input of size {list(input_size)} and a weight of size {list(weight_size)} do not fit "
                         f"together; expected {ndim + 2} dimensions each, and {groups} times the weight's second as channels")
    if list(grad_output.shape) != [input_size[0], weight_size[0], *positions]:
        raise ShapeError(f"{name}: expected grad_output of the shape of the convolution's result, "
                         f"{[input_size[0], weight_size[0], *positions]}, but got {list(grad_output.shape)}")
    exact = exact_padding(size, kernel, stride, dilation, padding, positions)
    return {"stride": stride, "padding": exact, "dilation": dilation, "groups": groups}
