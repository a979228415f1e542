"""What processes exchange, where there is one: each function does what PyTorch's does in a group of one process."""

from __future__ import annotations

import datetime
from typing import Any

from minigrad._tensor import Tensor
from minigrad.autograd import no_grad
from minigrad.distributed.process_group import ProcessGroup, ReduceOp, check_number, member
from minigrad.errors import InvalidValueError, ShapeError, StateError

__all__ = ["Work", "all_gather", "all_gather_into_tensor", "all_gather_object", "all_gather_single", "all_reduce", "all_to_all",
           "all_to_all_single", "barrier", "broadcast", "broadcast_object_list", "gather", "gather_object", "irecv", "isend",
           "monitored_barrier", "recv", "reduce", "reduce_scatter", "reduce_scatter_single", "reduce_scatter_tensor", "scatter",
           "scatter_object_list", "send"]


class Work:
    """What ``async_op=True`` returns: work that is done already."""

    def wait(self, timeout: datetime.timedelta | None = None) -> bool:
        """True: there is nothing to wait for."""
        return True

    def is_completed(self) -> bool:
        """True."""
        return True

    def is_success(self) -> bool:
        """True."""
        return True


def done(async_op: bool) -> Work | None:
    return Work() if async_op else None


def root(name: str, group: ProcessGroup | None, number: int | None, in_group: int | None, default: int | None = None) -> None:
    """Check the process `name` of a call, given by its number among all or by that in the group."""
    if number is not None and in_group is not None:
        raise InvalidValueError(f"{name} and group_{name.rpartition(': ')[2]} are two names of one process: give one of them")
    given = in_group if number is None else number
    check_number(name, group, default if given is None else given)


def only(name: str, things: list[Any] | None) -> list[Any]:
    """The list `things`, which has one element for each process."""
    if things is None or len(things) != 1:
        raise InvalidValueError(f"{name} must have one element for each process of the group, which has one; it "
                                f"{'is None' if things is None else f'has {len(things)}'}")
    return things


def fill(output: Tensor, input: Tensor) -> None:
    """Write `input` into `output`, which has as many elements."""
    if output.numel() != input.numel():
        raise ShapeError(f"the output, of shape {tuple(output.shape)}, must have as many elements as the input, of shape "
                         f"{tuple(input.shape)}: the group has one process")
    with no_grad():
        output.copy_(input.view(output.shape))


def all_reduce(tensor: Tensor, op: ReduceOp.RedOpType = ReduceOp.SUM, group: ProcessGroup | None = None,
               async_op: bool = False) -> Work | None:
    """Write into each process's `tensor` what all have together: it stays as it is."""
    member(group)
    return done(async_op)


def reduce(tensor: Tensor, dst: int | None = None, op: ReduceOp.RedOpType = ReduceOp.SUM, group: ProcessGroup | None = None,
           async_op: bool = False, group_dst: int | None = None) -> Work | None:
    """Write into the `tensor` of process `dst` what all have together: it stays as it is."""
    root("reduce: dst", group, dst, group_dst)
    return done(async_op)


def broadcast(tensor: Tensor, src: int | None = None, group: ProcessGroup | None = None, async_op: bool = False,
              group_src: int | None = None) -> Work | None:
    """Write the `tensor` of process `src` into that of all: it stays as it is."""
    root("broadcast: src", group, src, group_src)
    return done(async_op)


def all_gather(tensor_list: list[Tensor], tensor: Tensor, group: ProcessGroup | None = None,
               async_op: bool = False) -> Work | None:
    """Write the `tensor` of each process into the tensors of `tensor_list`, one for each."""
    member(group)
    fill(only("all_gather: tensor_list", tensor_list)[0], tensor)
    return done(async_op)


def all_gather_into_tensor(output_tensor: Tensor, input_tensor: Tensor, group: ProcessGroup | None = None,
                           async_op: bool = False) -> Work | None:
    """Write the `input_tensor` of all processes, one after the other, into `output_tensor`."""
    member(group)
    fill(output_tensor, input_tensor)
    return done(async_op)


all_gather_single = all_gather_into_tensor  # PyTorch's newer name


def gather(tensor: Tensor, gather_list: list[Tensor] | None = None, dst: int | None = None, group: ProcessGroup | None = None,
           async_op: bool = False, group_dst: int | None = None) -> Work | None:
    """Write the `tensor` of each process into the tensors of `gather_list`, at process `dst`."""
    root("gather: dst", group, dst, group_dst, 0)
    fill(only("gather: gather_list", gather_list)[0], tensor)
    return done(async_op)


def scatter(tensor: Tensor, scatter_list: list[Tensor] | None = None, src: int | None = None, group: ProcessGroup | None = None,
            async_op: bool = False, group_src: int | None = None) -> Work | None:
    """Write the tensors of `scatter_list`, of process `src`, into the `tensor` of each process."""
    root("scatter: src", group, src, group_src, 0)
    fill(tensor, only("scatter: scatter_list", scatter_list)[0])
    return done(async_op)


def reduce_scatter(output: Tensor, input_list: list[Tensor], op: ReduceOp.RedOpType = ReduceOp.SUM,
                   group: ProcessGroup | None = None, async_op: bool = False) -> Work | None:
    """Write what all have together of ``input_list[i]`` into the `output` of process i."""
    member(group)
    fill(output, only("reduce_scatter: input_list", input_list)[0])
    return done(async_op)


def reduce_scatter_tensor(output: Tensor, input: Tensor, op: ReduceOp.RedOpType = ReduceOp.SUM, group: ProcessGroup | None = None,
                          async_op: bool = False) -> Work | None:
    """Write what all have together of part i of `input` into the `output` of process i."""
    member(group)
    fill(output, input)
    return done(async_op)


reduce_scatter_single = reduce_scatter_tensor  # PyTorch's newer name


def all_to_all(output_tensor_list: list[Tensor], input_tensor_list: list[Tensor], group: ProcessGroup | None = None,
               async_op: bool = False) -> Work | None:
    """Write ``input_tensor_list[i]`` of each process into a tensor of the list of process i."""
    member(group)
    given = only("all_to_all: input_tensor_list", input_tensor_list)
    fill(only("all_to_all: output_tensor_list", output_tensor_list)[0], given[0])
    return done(async_op)


def all_to_all_single(output: Tensor, input: Tensor, output_split_sizes: list[int] | None = None,
                      input_split_sizes: list[int] | None = None, group: ProcessGroup | None = None,
                      async_op: bool = False) -> Work | None:
    """Write part i of the `input` of each process into the `output` of process i."""
    member(group)
    fill(output, input)
    return done(async_op)


def barrier(group: ProcessGroup | None = None, async_op: bool = False, device_ids: Any = None,
            timeout: datetime.timedelta | None = None) -> Work | None:
    """Wait until all processes are here, which is at once."""
    member(group)
    return done(async_op)


def monitored_barrier(group: ProcessGroup | None = None, timeout: datetime.timedelta | None = None,
                      wait_all_ranks: bool = False) -> None:
    """Wait until all processes are here, which is at once."""
    member(group)


def all_gather_object(object_list: list[Any], obj: Any, group: ProcessGroup | None = None) -> None:
    """Put the object of each process into `object_list`."""
    member(group)
    only("all_gather_object: object_list", object_list)[0] = obj


def gather_object(obj: Any, object_gather_list: list[Any] | None = None, dst: int | None = None,
                  group: ProcessGroup | None = None, group_dst: int | None = None) -> None:
    """Put the object of each process into `object_gather_list`, at process `dst`."""
    root("gather_object: dst", group, dst, group_dst, 0)
    only("gather_object: object_gather_list", object_gather_list)[0] = obj


def broadcast_object_list(object_list: list[Any], src: int | None = None, group: ProcessGroup | None = None, device: Any = None,
                          group_src: int | None = None) -> None:
    """Put the objects of process `src` into the list of all: they stay as they are."""
    root("broadcast_object_list: src", group, src, group_src, 0)


def scatter_object_list(scatter_object_output_list: list[Any], scatter_object_input_list: list[Any] | None = None,
                        src: int | None = None, group: ProcessGroup | None = None, group_src: int | None = None) -> None:
    """Put object i of the list of process `src` into the first place of the output list of process i."""
    root("scatter_object_list: src", group, src, group_src, 0)
    given = only("scatter_object_list: scatter_object_input_list", scatter_object_input_list)
    if not scatter_object_output_list:
        raise InvalidValueError("scatter_object_list: scatter_object_output_list must have at least one element")
    scatter_object_output_list[0] = given[0]


def alone(name: str) -> StateError:
    return StateError(f"{name}: there is no other process to exchange tensors with; the group has one")


def send(tensor: Tensor, dst: int | None = None, group: ProcessGroup | None = None, tag: int = 0,
         group_dst: int | None = None) -> None:
    """Raises ``RuntimeError``: there is no other process."""
    raise alone("send")


def recv(tensor: Tensor, src: int | None = None, group: ProcessGroup | None = None, tag: int = 0,
         group_src: int | None = None) -> int:
    """Raises ``RuntimeError``: there is no other process."""
    raise alone("recv")


def isend(tensor: Tensor, dst: int | None = None, group: ProcessGroup | None = None, tag: int = 0,
          group_dst: int | None = None) -> Work:
    """Raises ``RuntimeError``: there is no other process."""
    raise alone("isend")


def irecv(tensor: Tensor, src: int | None = None, group: ProcessGroup | None = None, tag: int = 0,
          group_src: int | None = None) -> Work:
    """Raises ``RuntimeError``: there is no other process."""
    raise alone("irecv")
