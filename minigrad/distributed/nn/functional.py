"""Exchanges that gradients flow through: each has another as its derivative, and so derivatives of every order.

What is differentiated is the sum of what all processes differentiate, so all of them must call ``backward``.
"""

from __future__ import annotations

from typing import Any

from minigrad import distributed
from minigrad._tensor import Tensor
from minigrad.autograd.function import Function
from minigrad.distributed.process_group import ProcessGroup, ReduceOp, member
from minigrad.errors import InvalidValueError
from minigrad.ops.creation import empty_like, zeros_like
from minigrad.ops.shaping.slicing import cat

__all__ = ["all_gather", "all_reduce", "all_to_all_single", "broadcast", "reduce", "reduce_scatter"]

SUM = ReduceOp.SUM


def all_reduce(tensor: Tensor, op: ReduceOp.RedOpType = SUM, group: ProcessGroup | None = None) -> Tensor:
    """What all processes have together: the sum, or the average, of their tensors, which have one shape and dtype.

    Raises as :func:`minigrad.distributed.all_reduce`, and ``ValueError`` for another `op`.
    """
    return AllReduce.apply(linear("all_reduce", op), group, tensor)  # type: ignore[no-any-return]


def reduce(tensor: Tensor, dst: int, op: ReduceOp.RedOpType = SUM, group: ProcessGroup | None = None) -> Tensor:
    """The sum, or the average, of the tensors of all processes, at process `dst`; `tensor` itself in the others."""
    return Reduce.apply(dst, linear("reduce", op), group, tensor)  # type: ignore[no-any-return]


def broadcast(tensor: Tensor, src: int, group: ProcessGroup | None = None) -> Tensor:
    """The tensor of process `src`, to which the gradients of all processes flow. All have one shape and dtype."""
    return Broadcast.apply(src, group, tensor)  # type: ignore[no-any-return]


def all_gather(tensor: Tensor, group: ProcessGroup | None = None) -> tuple[Tensor, ...]:
    """The tensors of all processes, which have one shape and dtype."""
    joined = AllGather.apply(group, tensor)
    return tuple(joined.unbind(0))


def reduce_scatter(output: Tensor, input_list: list[Tensor], op: ReduceOp.RedOpType = SUM,
                   group: ProcessGroup | None = None) -> Tensor:
    """The sum, or the average, of what all processes have in the place of this one in their lists; it has the shape of `output`.
    """
    joined = cat([t.unsqueeze(0) for t in input_list])
    return ReduceScatter.apply(linear("reduce_scatter", op), group, joined).view(output.shape)  # type: ignore[no-any-return]


def all_to_all_single(output: Tensor, input: Tensor, output_split_sizes: list[int] | None = None,
                      input_split_sizes: list[int] | None = None, group: ProcessGroup | None = None) -> Tensor:
    """The parts of the `input` of all processes that are for this one; `output` is what they are together."""
    return AllToAll.apply(output.shape, output_split_sizes, input_split_sizes, group, input)  # type: ignore[no-any-return]


def linear(name: str, op: Any) -> Any:
    """`op`, of which the derivative is the same exchange."""
    if op not in (SUM, ReduceOp.AVG):
        raise InvalidValueError(f"distributed.nn.functional.{name}: op must be ReduceOp.SUM or AVG, not {op}")
    return op


class AllReduce(Function):
    @staticmethod
    def forward(ctx: Any, op: Any, group: Any, tensor: Any) -> Any:
        ctx.op, ctx.group = op, group
        result = tensor.clone()
        distributed.all_reduce(result, op, group)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, None, AllReduce.apply(ctx.op, ctx.group, grad)


class Reduce(Function):
    @staticmethod
    def forward(ctx: Any, dst: int, op: Any, group: Any, tensor: Any) -> Any:
        ctx.dst, ctx.op, ctx.group = dst, op, group
        result = tensor.clone()
        distributed.reduce(result, dst, op, group)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        arrived = Broadcast.apply(ctx.dst, ctx.group, grad)
        return None, None, None, arrived / member(ctx.group).size() if ctx.op is ReduceOp.AVG else arrived


class Broadcast(Function):
    @staticmethod
    def forward(ctx: Any, src: int, group: Any, tensor: Any) -> Any:
        ctx.src, ctx.group = src, group
        result = tensor.clone()
        distributed.broadcast(result, src, group)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        arrived = Reduce.apply(ctx.src, SUM, ctx.group, grad)
        return None, None, arrived if distributed.get_rank() == ctx.src else zeros_like(arrived)


class AllGather(Function):
    @staticmethod
    def forward(ctx: Any, group: Any, tensor: Any) -> Any:
        ctx.group = group
        result = tensor.new_empty((member(group).size(), *tensor.shape))
        distributed.all_gather_into_tensor(result, tensor, group)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, ReduceScatter.apply(SUM, ctx.group, grad)


class ReduceScatter(Function):
    @staticmethod
    def forward(ctx: Any, op: Any, group: Any, joined: Any) -> Any:
        ctx.op, ctx.group = op, group
        result = empty_like(joined[0])
        distributed.reduce_scatter_tensor(result, joined, op, group)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        arrived = AllGather.apply(ctx.group, grad)
        return None, None, arrived / member(ctx.group).size() if ctx.op is ReduceOp.AVG else arrived


class AllToAll(Function):
    @staticmethod
    def forward(ctx: Any, shape: Any, output_split_sizes: Any, input_split_sizes: Any, group: Any, input: Any) -> Any:
        ctx.shape, ctx.sizes, ctx.group = input.shape, (input_split_sizes, output_split_sizes), group
        result = input.new_empty(shape)
        distributed.all_to_all_single(result, input, output_split_sizes, input_split_sizes, group)
        return result

    @staticmethod
    def backward(ctx: Any, grad: Any) -> Any:
        return None, None, None, None, AllToAll.apply(ctx.shape, *ctx.sizes, ctx.group, grad)
