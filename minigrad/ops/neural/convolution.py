"""Convolution in any number of dimensions, and unfold and fold.

Convolution, transposed convolution and the gradient of the weight are three operations on one trilinear form,

    sum over n, o, c, p, k of  y[n, o, p] * weight[o, c, k] * x[n, c, stride * p + dilation * k - padding],

each of which takes two of y, weight and x and returns the gradient of the form with respect to the third. So the
derivatives of each are the other two, to every order.

How each is computed is in :mod:`minigrad.ops.neural.correlation`; where the library can compute the third of the form itself
(CuPy with cuDNN), it is asked first.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from minigrad import _arrays
from minigrad.errors import ArgumentError, RuntimeValueError, ShapeError
from minigrad.ops.neural.correlation import correlate, correlate_weight, spread
from minigrad.ops.neural.sliding_window import exact_padding, per_dim, size_text, windows_of, with_batch_dim
from minigrad.ops.reducing import reduction
from minigrad.recording.op import op

if TYPE_CHECKING:
    from minigrad._types.annotations import IntOrInts, Tensor

__all__ = ["conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "fold", "unfold"]

@op(dtypes="same", opmath=True, connected=True, layout="channels_of_any")
def convolution(input: Any, weight: Any, bias: Any = None, *, stride: Any = (1, 1), padding: Any = ((0, 0), (0, 0)),
                dilation: Any = (1, 1), groups: Any = 1) -> Any:
    """Cross-correlation of `input` (n, channels, *size) with `weight` (out, channels / groups, *kernel).

    `padding` holds a pair (before, after) for each dimension, exact in the sense of
    :mod:`minigrad.ops.neural.sliding_window`. The settings have one entry for each dimension; their defaults are for two.
    """
    windows = windows_of(input.shape[2:], weight.shape[2:], stride, dilation, padding)
    shape = input.shape[0], weight.shape[0], *windows.positions
    y = kernels_for(input, shape, weight.shape).convolve(input, weight, shape, bias, stride, padding, dilation)
    if y is None:
        y = np.empty(shape, input.dtype, like=input)
        correlate(input, weight, bias, windows, groups, y)
    return y
@convolution.derivative("input")
def convolution_wrt_input(g: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    return convolution_transpose(g, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
@convolution.derivative("weight")
def convolution_wrt_weight(g: Any, input: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    return convolution_weight(input, g, stride=stride, padding=padding, dilation=dilation, groups=groups)
@convolution.derivative("bias")
def convolution_wrt_bias(g: Any) -> Any: return reduction.sum(g, dim=(0, *range(2, g.ndim)))


@op(dtypes="same", layout="channels_of_any", grad_name="ConvolutionBackward0", opmath=True, connected=True)
def convolution_transpose(input: Any, weight: Any, bias: Any = None, *, stride: Any = (1, 1),
                          padding: Any = ((0, 0), (0, 0)), dilation: Any = (1, 1), groups: Any = 1) -> Any:
    """The adjoint of :func:`convolution` in its input: `input` (n, out, *positions) to (n, channels, *size)."""
    kernel, positions = weight.shape[2:], input.shape[2:]
    size = [(o - 1) * s + d * (k - 1) + 1 - before - after
            for o, k, s, d, (before, after) in zip(positions, kernel, stride, dilation, padding)]
    windows = windows_of(tuple(size), kernel, stride, dilation, padding)
    shape = input.shape[0], weight.shape[1] * groups, *size
    x = kernels_for(input, input.shape, weight.shape).convolve(shape, weight, input, bias, stride, padding, dilation)
    if x is None:
        x = np.empty(shape, input.dtype, like=input)
        spread(input, weight, bias, windows, groups, x)
    return x
@convolution_transpose.derivative("input")
def convolution_transpose_wrt_input(g: Any, weight: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    return convolution(g, weight, stride=stride, padding=padding, dilation=dilation, groups=groups)
@convolution_transpose.derivative("weight")
def convolution_transpose_wrt_weight(g: Any, input: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    return convolution_weight(g, input, stride=stride, padding=padding, dilation=dilation, groups=groups)
@convolution_transpose.derivative("bias")
def convolution_transpose_wrt_bias(g: Any) -> Any: return reduction.sum(g, dim=(0, *range(2, g.ndim)))


@op(dtypes="same", opmath=True)
def convolution_weight(input: Any, other: Any, *, stride: Any = (1, 1), padding: Any = ((0, 0), (0, 0)),
                       dilation: Any = (1, 1), groups: Any = 1) -> Any:
    """The gradient of a convolution's weight: `input` (n, channels, *size) against `other` (n, out, *positions)."""
    channels, out = input.shape[1], other.shape[1]
    spans = [m + before + after - (o - 1) * s - 1
             for m, o, s, (before, after) in zip(input.shape[2:], other.shape[2:], stride, padding)]
    kernel = tuple([span // d + 1 for span, d in zip(spans, dilation)])
    shape = out, channels // groups, *kernel
    weight = kernels_for(input, other.shape, shape).convolve(input, shape, other, None, stride, padding, dilation)
    if weight is None:
        weight = correlate_weight(input, other, windows_of(input.shape[2:], kernel, stride, dilation, padding), groups)
    return weight
@convolution_weight.derivative("input")
def convolution_weight_wrt_input(g: Any, other: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    return convolution_transpose(other, g, stride=stride, padding=padding, dilation=dilation, groups=groups)
@convolution_weight.derivative("other")
def convolution_weight_wrt_other(g: Any, input: Any, stride: Any, padding: Any, dilation: Any, groups: Any) -> Any:
    return convolution(input, g, stride=stride, padding=padding, dilation=dilation, groups=groups)


def kernels_for(x: Any, y_shape: Any, weight_shape: Any) -> Any:
    """The kernels for the array `x`, where so large a convolution has any: 16 of its products take as long as an element."""
    return _arrays.kernels_of(x, math.prod(y_shape) * math.prod(weight_shape[1:]) // 16)


# ---------------------------------------------------------------------------------------------------- PyTorch's functions

def conv1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: str | IntOrInts = 0,
           dilation: IntOrInts = 1, groups: int = 1) -> Tensor:
    """1-d cross-correlation; see :func:`conv2d`. `input` is (n, channels, width) or (channels, width)."""
    return convolve("conv1d", 1, input, weight, bias, stride, padding, dilation, groups)


def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: str | IntOrInts = 0,
           dilation: IntOrInts = 1, groups: int = 1) -> Tensor:
    """2-d cross-correlation of `input` with the filters in `weight`.

    Args:
        input: (n, channels, height, width), or (channels, height, width) without a batch.
        weight: (out, channels / groups, kernel height, kernel width).
        bias: (out,), added to every position, or None.
        stride, dilation: steps between positions, and between the elements of the kernel; an int, or one for each dimension.
        padding: zeros on both sides; an int, one for each dimension, ``"valid"`` for none, or ``"same"`` for as many as give
            an output of the input's size (with stride 1).
        groups: channels and filters are divided into this many groups, each convolved by itself.

    Returns: (n, out, height', width') with height' = (height + 2 padding - dilation (kernel - 1) - 1) // stride + 1.

    Raises ``RuntimeError`` where the shapes do not fit together.

        >>> import minigrad
        >>> x = minigrad.tensor([[[[1., 2., 3.], [4., 5., 6.], [7., 8., 9.]]]])
        >>> conv2d(x, minigrad.tensor([[[[1., 0.], [0., -1.]]]])).tolist()
        [[[[-4.0, -4.0], [-4.0, -4.0]]]]
    """
    return convolve("conv2d", 2, input, weight, bias, stride, padding, dilation, groups)


def conv3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: str | IntOrInts = 0,
           dilation: IntOrInts = 1, groups: int = 1) -> Tensor:
    """3-d cross-correlation; see :func:`conv2d`. `input` is (n, channels, depth, height, width), or without n."""
    return convolve("conv3d", 3, input, weight, bias, stride, padding, dilation, groups)


def conv_transpose1d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: IntOrInts = 0,
                     output_padding: IntOrInts = 0, groups: int = 1, dilation: IntOrInts = 1) -> Tensor:
    """1-d transposed convolution; see :func:`conv_transpose2d`."""
    return convolve_transposed("conv_transpose1d", 1, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: IntOrInts = 0,
                     output_padding: IntOrInts = 0, groups: int = 1, dilation: IntOrInts = 1) -> Tensor:
    """2-d transposed convolution: the gradient of :func:`conv2d` with respect to its input, as an operation of its own.

    Args:
        input: (n, channels, height, width), or (channels, height, width) without a batch.
        weight: (channels, out / groups, kernel height, kernel width).
        output_padding: added to the output's size on one side, to say which of the sizes that :func:`conv2d` would bring to
            the input's size is meant; smaller than the stride or the dilation.

    Returns: (n, out, height', width') with
        height' = (height - 1) stride - 2 padding + dilation (kernel - 1) + output_padding + 1.
    """
    return convolve_transposed("conv_transpose2d", 2, input, weight, bias, stride, padding, output_padding, groups, dilation)


def conv_transpose3d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: IntOrInts = 1, padding: IntOrInts = 0,
                     output_padding: IntOrInts = 0, groups: int = 1, dilation: IntOrInts = 1) -> Tensor:
    """3-d transposed convolution; see :func:`conv_transpose2d`."""
    return convolve_transposed("conv_transpose3d", 3, input, weight, bias, stride, padding, output_padding, groups, dilation)


def convolve(name: str, ndim: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any, dilation: Any,
             groups: int) -> Tensor:
    check(name, ndim, input, weight, bias, groups, channels=1)
    stride, dilation = per_dim(name, "stride", stride, ndim), per_dim(name, "dilation", dilation, ndim)
    check_steps(name, stride, dilation)
    size, kernel = tuple(input.shape[-ndim:]), tuple(weight.shape[2:])
    if isinstance(padding, str):
        pairs = resolve_padding(name, padding, kernel, stride, dilation)
    else:
        pairs = tuple([(p, p) for p in per_dim(name, "padding", padding, ndim)])
        if any(p < 0 for p, _ in pairs):
            raise RuntimeValueError(f"{name}: negative padding is not supported, but got padding={padding}")
    padded = [n + before + after for n, (before, after) in zip(size, pairs)]
    reach = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
    if any(r > n for r, n in zip(reach, padded)):
        raise ShapeError(f"{name}: Calculated padded input size per channel: ({size_text(padded)}). Kernel size: "
                         f"({size_text(reach)}). Kernel size can't be greater than actual input size; padding={padding} would "
                         "have to be larger, or the kernel or its dilation smaller")
    positions = [(n - r) // s + 1 for n, r, s in zip(padded, reach, stride)]
    exact = exact_padding(size, kernel, stride, dilation, [before for before, _ in pairs], positions)
    return with_batch_dim(ndim, convolution, input, weight, bias, stride=stride, padding=exact, dilation=dilation, groups=groups)


def convolve_transposed(name: str, ndim: int, input: Any, weight: Any, bias: Any, stride: Any, padding: Any,
                        output_padding: Any, groups: int, dilation: Any) -> Tensor:
    check(name, ndim, input, weight, bias, groups, channels=0)
    stride, dilation = per_dim(name, "stride", stride, ndim), per_dim(name, "dilation", dilation, ndim)
    check_steps(name, stride, dilation)
    padding, extra = per_dim(name, "padding", padding, ndim), per_dim(name, "output_padding", output_padding, ndim)
    if any(p < 0 for p in padding):
        raise RuntimeValueError(f"{name}: negative padding is not supported, but got padding={list(padding)}")
    if any(e < 0 or (e >= s and e >= d) for e, s, d in zip(extra, stride, dilation)):
        raise RuntimeValueError(f"{name}: output padding must be smaller than either stride or dilation, but got output_padding="
                                f"{list(extra)}, stride={list(stride)}, dilation={list(dilation)}")
    size = [(n - 1) * s - 2 * p + d * (k - 1) + e + 1 for n, k, s, d, p, e in
            zip(input.shape[-ndim:], weight.shape[2:], stride, dilation, padding, extra)]
    if any(n < 1 for n in size):
        raise ShapeError(f"{name}: Given input size per channel: ({size_text(input.shape[-ndim:])}). Calculated output size per "
                         f"channel: ({size_text(size)}). Output size is too small")
    exact = tuple([(p, p - e) for p, e in zip(padding, extra)])
    return with_batch_dim(ndim, convolution_transpose, input, weight, bias,
                          stride=stride, padding=exact, dilation=dilation, groups=groups)


# ---------------------------------------------------------------------------------------------------- refusals

def check(name: str, ndim: int, input: Any, weight: Any, bias: Any, groups: Any, channels: int) -> None:
    """Raise unless input, weight, bias and groups fit; `channels` is the dimension of weight that meets the input's."""
    for argument, x in (("input", input), ("weight", weight)):
        if not hasattr(x, "shape"):
            raise ArgumentError(f"{name}(): argument '{argument}' must be a Tensor, not {type(x).__name__}")
    shape, filters = list(input.shape), list(weight.shape)
    if len(shape) not in (ndim + 1, ndim + 2):
        raise ShapeError(f"{name}: Expected {ndim + 1}D (unbatched) or {ndim + 2}D (batched) input to {name}, but got input of "
                         f"size: {shape}")
    if len(filters) != ndim + 2:
        raise ShapeError(f"{name}: expected {ndim + 2}-dimensional weight "
                         f"({'out, channels / groups' if channels else 'channels, out / groups'}, *kernel), but got weight of "
                         f"size {filters}")
    if not isinstance(groups, int) or groups < 1:
        raise RuntimeValueError(f"{name}: non-positive groups is not supported, but got groups={groups}")
    if filters[0] % groups or filters[0] < groups:
        raise ShapeError(f"{name}: Given groups={groups}, expected weight to be divisible by {groups} at dimension 0, but got "
                         f"weight of size {filters} instead")
    have, want = shape[-ndim - 1], filters[1] * groups if channels else filters[0]
    if have != want:
        raise ShapeError(f"{name}: Given {'' if channels else 'transposed=1, '}groups={groups}, weight of size {filters}, "
                         f"expected input{shape} to have {want} channels, but got {have} channels instead")
    if any(n < 1 for n in filters[2:]):
        raise ShapeError(f"{name}: a kernel needs at least one element in each dimension, but got weight of size {filters}")
    out = filters[0] if channels else filters[1] * groups
    if bias is not None and tuple(bias.shape) != (out,):
        raise ShapeError(f"{name}: Given weight of size {filters}, expected bias to be 1-dimensional with {out} elements, but "
                         f"got bias of size {list(bias.shape)} instead")


def check_steps(name: str, stride: tuple[int, ...], dilation: tuple[int, ...]) -> None:
    if any(s < 1 for s in stride):
        raise RuntimeValueError(f"{name}: non-positive stride is not supported, but got stride={list(stride)}")
    if any(d < 1 for d in dilation):
        raise RuntimeValueError(f"{name}: dilation should be greater than zero, but got dilation={list(dilation)}")


def resolve_padding(name: str, padding: str, kernel: Any, stride: Any, dilation: Any) -> tuple[tuple[int, int], ...]:
    """The padding called ``"valid"`` or ``"same"``; of an odd number of zeros the larger half comes after."""
    if padding == "valid":
        return ((0, 0),) * len(kernel)
    if padding != "same":
        raise RuntimeValueError(f"{name}: Invalid padding string {padding!r}; it should be one of 'valid', 'same', or numbers")
    if any(s != 1 for s in stride):
        raise RuntimeValueError(f"{name}: padding='same' is not supported for strided convolutions, but got "
                                f"stride={list(stride)}")
    totals = [d * (k - 1) for k, d in zip(kernel, dilation)]
    return tuple([(total // 2, total - total // 2) for total in totals])


# ---------------------------------------------------------------------------------------------------- unfold and fold

@op
def im2col(input: Any, *, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The windows of `input` (n, channels, *size) as (n, channels * elements of the kernel, positions)."""
    n, channels, size = input.shape[0], input.shape[1], input.shape[2:]
    windows = windows_of(size, kernel, stride, dilation, padding)
    columns = windows.columns(input.reshape(n * channels, 1, *size))
    return columns.reshape(n, channels * windows.count, math.prod(windows.positions))
@im2col.derivative("input")
def im2col_wrt_input(g: Any, input_shape: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return col2im(g, size=input_shape[2:], kernel=kernel, stride=stride, padding=padding, dilation=dilation)


@op(opmath=True)
def col2im(input: Any, *, size: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    """The adjoint of :func:`im2col`: windows added up where they overlap, to (n, channels, *size)."""
    windows = windows_of(tuple(size), kernel, stride, dilation, padding)
    n, channels = input.shape[0], input.shape[1] // windows.count
    return windows.collect(input.reshape(n * channels, *kernel, 1, *windows.positions)).reshape(n, channels, *size)
@col2im.derivative("input")
def col2im_wrt_input(g: Any, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Any:
    return im2col(g, kernel=kernel, stride=stride, padding=padding, dilation=dilation)


def unfold(input: Tensor, kernel_size: IntOrInts, dilation: IntOrInts = 1, padding: IntOrInts = 0,
           stride: IntOrInts = 1) -> Tensor:
    """The blocks that a sliding window meets, as columns.

    Args:
        input: (n, channels, height, width), or without n.
        kernel_size, dilation, padding, stride: an int, or one for each of the two dimensions.

    Returns: (n, channels * kernel height * kernel width, number of blocks), or without n.

        >>> import minigrad
        >>> x = minigrad.tensor([[[[1., 2., 3.], [4., 5., 6.]]]])
        >>> unfold(x, kernel_size=2).tolist()
        [[[1.0, 2.0], [2.0, 3.0], [4.0, 5.0], [5.0, 6.0]]]
    """
    shape = list(input.shape)
    if input.ndim not in (3, 4) or 0 in shape[-3:]:
        raise ShapeError(f"unfold: Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero "
                         f"dimensions for input, but got: {shape}")
    settings, positions = block_settings("unfold", shape[-2:], kernel_size, dilation, padding, stride)
    if any(n < 1 for n in positions):
        raise ShapeError(f"unfold: Given input with spatial size ({size_text(shape[-2:])}), kernel_size={kernel_size}, "
                         f"dilation={dilation}, padding={padding}, calculated shape of the array of sliding blocks as "
                         f"({size_text(positions)}), but its components must be at least one")
    return with_batch_dim(2, im2col, input, **settings)


def fold(input: Tensor, output_size: IntOrInts, kernel_size: IntOrInts, dilation: IntOrInts = 1, padding: IntOrInts = 0,
         stride: IntOrInts = 1) -> Tensor:
    """Columns of blocks added up to an image of `output_size`; the adjoint of :func:`unfold`.

    Args:
        input: (n, channels * kernel height * kernel width, number of blocks), or without n.

    Returns: (n, channels, *output_size), or without n.
    """
    shape, size = list(input.shape), per_dim("fold", "output_size", output_size, 2)
    if input.ndim not in (2, 3) or 0 in shape[-2:]:
        raise ShapeError(f"fold: Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and other non-zero "
                         f"dimensions, but got: {shape}")
    settings, positions = block_settings("fold", size, kernel_size, dilation, padding, stride)
    count, blocks = math.prod(settings["kernel"]), math.prod(positions)
    if shape[-2] % count:
        raise ShapeError(f"fold: Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
                         f"input.size(1)={shape[-2]} and kernel_size={kernel_size}")
    if any(n < 1 for n in positions) or shape[-1] != blocks:
        raise ShapeError(f"fold: Given output_size={list(size)}, kernel_size={kernel_size}, dilation={dilation}, "
                         f"padding={padding}, stride={stride}, expected size of input's dimension 2 to match the calculated "
                         f"number of sliding blocks {size_text(positions)} = {blocks}, but got input.size(2)={shape[-1]}")
    return with_batch_dim(1, col2im, input, size=size, **settings)


def block_settings(name: str, size: Any, kernel_size: Any, dilation: Any, padding: Any,
                   stride: Any) -> tuple[dict[str, Any], list[int]]:
    """The settings of im2col and col2im, and the number of positions in each dimension."""
    kernel, stride = per_dim(name, "kernel_size", kernel_size, 2), per_dim(name, "stride", stride, 2)
    dilation, padding = per_dim(name, "dilation", dilation, 2), per_dim(name, "padding", padding, 2)
    for argument, values, least in (("kernel size", kernel, 1), ("stride", stride, 1), ("dilation", dilation, 1),
                                    ("padding", padding, 0)):
        if any(v < least for v in values):
            raise RuntimeValueError(f"{name}: {argument} should be {'greater than zero' if least else 'non-negative'}, but got "
                                    f"{list(values)}")
    positions = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, d, p in zip(size, kernel, stride, dilation, padding)]
    exact = exact_padding(size, kernel, stride, dilation, padding, positions)
    return {"kernel": kernel, "stride": stride, "padding": exact, "dilation": dilation}, positions
