"""What the processes of a group exchange, all of them at once: tensors."""

from __future__ import annotations

import datetime
import functools
import inspect
import warnings
from typing import Any, Callable, ParamSpec, TypeVar

import numpy as np

from minigrad._tensor import Tensor
from minigrad.distributed.memory import describe, flat, flat_space, put, put_all, space, summable
from minigrad.distributed.process_group import ProcessGroup, ReduceOp, get_rank, is_no_member, member
from minigrad.distributed.work import Work, exchange
from minigrad.errors import InvalidValueError, ShapeError

__all__ = ["all_gather", "all_gather_into_tensor", "all_gather_single", "all_reduce", "all_to_all", "all_to_all_single",
           "barrier", "broadcast", "gather", "monitored_barrier", "reduce", "reduce_scatter", "reduce_scatter_single",
           "reduce_scatter_tensor", "scatter"]

P = ParamSpec("P")
T = TypeVar("T")


def of_members(function: Callable[P, T]) -> Callable[P, T]:
    """`function` for the processes that are in its `group`, with the group's device as the current one. In others it does nothing
    but warn."""
    position = list(inspect.signature(function).parameters).index("group")

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        group: Any = args[position] if len(args) > position else kwargs.get("group")
        if is_no_member(group):
            warnings.warn(f"Running {function.__name__} on global rank {get_rank()} which does not belong to the given group.",
                          stacklevel=2)
            return None  # type: ignore[return-value]
        with member(group).on_device():
            return function(*args, **kwargs)
    return call


def root(name: str, group: ProcessGroup, number: int | None, in_group: int | None, default: int | None = None) -> int:
    """The number in the group of the process `name` of a call, given by its number among all or by that in the group."""
    if number is not None and in_group is not None:
        raise InvalidValueError(f"{name} and group_{name.rpartition(': ')[2]} are two names of one process: give one of them")
    if in_group is None:
        number = default if number is None else number
        if number not in group.ranks:
            raise InvalidValueError(f"{name} must be the number of a process of the group, {few(group.ranks)}, not {number}")
        return group.ranks.index(number)
    if not 0 <= in_group < group.size():
        raise InvalidValueError(f"group_{name.rpartition(': ')[2]} must be from 0 to {group.size() - 1}, not {in_group}")
    return in_group


def few(ranks: list[int]) -> str:
    return f"whose only one is {ranks[0]}" if len(ranks) == 1 else f"which are {ranks}"


def one_for_each(name: str, things: list[Any] | None, group: ProcessGroup) -> list[Any]:
    """The list `things`, which has one element for each process."""
    if things is None or len(things) != group.size():
        raise InvalidValueError(f"{group.where()}{name} must have one element for each process of the group, which has "
                                f"{group.size()}; it {'is None' if things is None else f'has {len(things)}'}")
    return things


def same_size(name: str, output: Tensor, input: Tensor, parts: int, group: ProcessGroup) -> None:
    """Check that `output` has `parts` times as many elements as `input`, and its dtype."""
    if output.numel() != parts * input.numel() or output.dtype != input.dtype:
        times = "" if parts == 1 else f"{parts} times "
        processes = "one process" if group.size() == 1 else f"{group.size()} processes"
        raise ShapeError(f"{group.where()}{name}: the output, of shape {tuple(output.shape)} and {output.dtype}, must have "
                         f"{times}as many elements as the input, of shape {tuple(input.shape)} and {input.dtype}, and its dtype: "
                         f"the group has {processes}")


def operation(op: Any) -> str:
    """The name of a member of ``ReduceOp``."""
    if not isinstance(op, ReduceOp.RedOpType) or op is ReduceOp.PREMUL_SUM:
        raise InvalidValueError(f"op must be one of ReduceOp.SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR and BXOR, not {op}")
    return op.name


def average(values: Any, op: str, group: ProcessGroup) -> Any:
    """The sum `values` as `op` wants it: as it is, or divided by the number of processes."""
    if op == "AVG":
        values /= group.size()
    return values


@of_members
def all_reduce(tensor: Tensor, op: ReduceOp.RedOpType = ReduceOp.SUM, group: ProcessGroup | None = None,
               async_op: bool = False) -> Work | None:
    """Write into each process's `tensor` what all have together: by default the sum.

    Args:
        tensor: of the same shape and dtype in every process, on any device, contiguous or not.
        op: how several numbers become one.
        group: the processes; None: all.
        async_op: return a :class:`Work` at once, instead of waiting until it is done.

    Raises:
        RuntimeError: where the processes call different functions or have other shapes or dtypes, one does not come in the
            group's time, or `op` is not of such numbers.
        ValueError: if there is no group.
    """
    g, name = member(group), operation(op)
    words = f"all_reduce({name}) of {describe(tensor)}"
    mine = flat(tensor, words, g)
    values, reduced = summable(mine, name, words)
    return exchange(g, words, lambda: g.communicator.all_reduce(values, reduced),
                    lambda: put(tensor, average(values, name, g), "all_reduce"), async_op)


@of_members
def reduce(tensor: Tensor, dst: int | None = None, op: ReduceOp.RedOpType = ReduceOp.SUM, group: ProcessGroup | None = None,
           async_op: bool = False, group_dst: int | None = None) -> Work | None:
    """Write into the `tensor` of process `dst` what all have together; those of others stay as they are.

    `dst` is its number among all processes, `group_dst` that in the group. The rest, and what is raised, is as for
    :func:`all_reduce`.
    """
    g, name = member(group), operation(op)
    to = root("reduce: dst", g, dst, group_dst)
    words = f"reduce({name}, dst={g.ranks[to]}) of {describe(tensor)}"
    mine = flat(tensor, words, g)
    values, reduced = summable(mine, name, words)

    def finish() -> None:
        if g.rank() == to:
            put(tensor, average(values, name, g), "reduce")
    return exchange(g, words, lambda: g.communicator.reduce(values, reduced, to), finish, async_op)


@of_members
def broadcast(tensor: Tensor, src: int | None = None, group: ProcessGroup | None = None, async_op: bool = False,
              group_src: int | None = None) -> Work | None:
    """Write the `tensor` of process `src` into that of all, which has its shape and dtype; as for :func:`reduce`."""
    g = member(group)
    source = root("broadcast: src", g, src, group_src)
    words = f"broadcast(src={g.ranks[source]}) of {describe(tensor)}"
    values = flat(tensor, words, g)

    def finish() -> None:
        if g.rank() != source:
            put(tensor, values, "broadcast")
    return exchange(g, words, lambda: g.communicator.broadcast(values, source), finish, async_op)


@of_members
def all_gather(tensor_list: list[Tensor], tensor: Tensor, group: ProcessGroup | None = None,
               async_op: bool = False) -> Work | None:
    """Write the `tensor` of each process into the tensors of `tensor_list`, one for each.

    They may have different shapes, if every process knows them: ``tensor_list[i]`` has as many elements as the tensor of process
    i. What is raised is as for :func:`all_reduce`.
    """
    g = member(group)
    outputs = one_for_each("all_gather: tensor_list", tensor_list, g)
    same_size("all_gather", outputs[g.rank()], tensor, 1, g)
    words = f"all_gather into {', '.join(map(describe, outputs))}"
    values, counts = flat_space(outputs, words, g)
    mine = flat(tensor, words, g)
    return exchange(g, words, lambda: g.communicator.all_gather(values, counts, mine),
                    lambda: put_all(outputs, values, "all_gather"), async_op)


@of_members
def all_gather_into_tensor(output_tensor: Tensor, input_tensor: Tensor, group: ProcessGroup | None = None,
                           async_op: bool = False) -> Work | None:
    """Write the `input_tensor` of all processes, one after the other, into `output_tensor`; as for :func:`all_reduce`."""
    g = member(group)
    same_size("all_gather_into_tensor", output_tensor, input_tensor, g.size(), g)
    words = f"all_gather_into_tensor of {describe(input_tensor)}"
    values, _ = flat_space([output_tensor], words, g)
    mine = flat(input_tensor, words, g)
    return exchange(g, words, lambda: g.communicator.all_gather(values, [input_tensor.numel()] * g.size(), mine),
                    lambda: put(output_tensor, values, "all_gather_into_tensor"), async_op)


all_gather_single = all_gather_into_tensor  # PyTorch's newer name


@of_members
def gather(tensor: Tensor, gather_list: list[Tensor] | None = None, dst: int | None = None, group: ProcessGroup | None = None,
           async_op: bool = False, group_dst: int | None = None) -> Work | None:
    """Write the `tensor` of each process into the tensors of `gather_list`, at process `dst`, by default 0; only that one gives
    the list. All have one shape and dtype. What is raised is as for :func:`all_reduce`."""
    g = member(group)
    to = root("gather: dst", g, dst, group_dst, 0)
    words = f"gather(dst={g.ranks[to]}) of {describe(tensor)}"
    outputs = list_of_root("gather: gather_list", gather_list, to, tensor, g)
    values, counts = flat_space(outputs, words, g)
    mine = flat(tensor, words, g)
    return exchange(g, words, lambda: g.communicator.gather(values, counts, mine, to),
                    lambda: put_all(outputs, values, "gather"), async_op)


@of_members
def scatter(tensor: Tensor, scatter_list: list[Tensor] | None = None, src: int | None = None, group: ProcessGroup | None = None,
            async_op: bool = False, group_src: int | None = None) -> Work | None:
    """Write the tensors of `scatter_list`, of process `src`, by default 0, into the `tensor` of each process; only that one
    gives the list. All have one shape and dtype. What is raised is as for :func:`all_reduce`."""
    g = member(group)
    source = root("scatter: src", g, src, group_src, 0)
    words = f"scatter(src={g.ranks[source]}) of {describe(tensor)}"
    inputs = list_of_root("scatter: scatter_list", scatter_list, source, tensor, g)
    sent = joined(inputs, words, g)
    values, _ = flat_space([tensor], words, g)
    return exchange(g, words, lambda: g.communicator.scatter(values, sent, [t.numel() for t in inputs], source),
                    lambda: put(tensor, values, "scatter"), async_op)


def list_of_root(name: str, given: list[Tensor] | None, number: int, like: Tensor, group: ProcessGroup) -> list[Tensor]:
    """The list that process `number` gives, of tensors as large as `like`; an empty one in others, which give none."""
    if group.rank() != number:
        if given:
            raise InvalidValueError(f"{group.where()}{name} must not be given but by process {group.ranks[number]}")
        return []
    tensors = one_for_each(name, given, group)
    for t in tensors:
        same_size(name, t, like, 1, group)
    return tensors


def joined(tensors: list[Tensor], words: str, g: ProcessGroup) -> Any:
    """The elements of all `tensors`, one after the other."""
    flat_space(tensors, words, g)  # checks that they have one dtype
    return np.concatenate([flat(t, words, g) for t in tensors]) if tensors else space(0, np.float32, g)


@of_members
def reduce_scatter(output: Tensor, input_list: list[Tensor], op: ReduceOp.RedOpType = ReduceOp.SUM,
                   group: ProcessGroup | None = None, async_op: bool = False) -> Work | None:
    """Write what all have together of ``input_list[i]`` into the `output` of process i; as for :func:`all_reduce`."""
    g = member(group)
    inputs = one_for_each("reduce_scatter: input_list", input_list, g)
    same_size("reduce_scatter", output, inputs[g.rank()], 1, g)
    words = f"reduce_scatter({operation(op)}) of {', '.join(map(describe, inputs))}"
    return scattered(g, words, output, joined(inputs, words, g), [t.numel() for t in inputs], operation(op), async_op)


@of_members
def reduce_scatter_tensor(output: Tensor, input: Tensor, op: ReduceOp.RedOpType = ReduceOp.SUM, group: ProcessGroup | None = None,
                          async_op: bool = False) -> Work | None:
    """Write what all have together of part i of `input` into the `output` of process i; as for :func:`all_reduce`."""
    g = member(group)
    same_size("reduce_scatter_tensor", input, output, g.size(), g)
    words = f"reduce_scatter_tensor({operation(op)}) of {describe(input)}"
    return scattered(g, words, output, flat(input, words, g), [output.numel()] * g.size(), operation(op), async_op)


reduce_scatter_single = reduce_scatter_tensor  # PyTorch's newer name


def scattered(g: ProcessGroup, words: str, output: Tensor, mine: Any, counts: list[int], op: str, async_op: bool) -> Work | None:
    """Sum, or whatever `op` is, the parts of `mine`, of which process i gets the i-th, with `counts` elements."""
    sent, reduced = summable(mine, op, words)
    received = space(counts[g.rank()], sent.dtype, g)
    return exchange(g, words, lambda: g.communicator.reduce_scatter(received, sent, counts, reduced),
                    lambda: put(output, average(received, op, g), "reduce_scatter"), async_op)


@of_members
def all_to_all(output_tensor_list: list[Tensor], input_tensor_list: list[Tensor], group: ProcessGroup | None = None,
               async_op: bool = False) -> Work | None:
    """Write ``input_tensor_list[i]`` of this process, number k, into ``output_tensor_list[k]`` of process i, which has as many
    elements and the same dtype. What is raised is as for :func:`all_reduce`."""
    g = member(group)
    inputs = one_for_each("all_to_all: input_tensor_list", input_tensor_list, g)
    outputs = one_for_each("all_to_all: output_tensor_list", output_tensor_list, g)
    same_size("all_to_all", outputs[g.rank()], inputs[g.rank()], 1, g)
    words = f"all_to_all of {describe(inputs[0]).partition(' ')[0]}"
    values, counts = flat_space(outputs, words, g)
    sent = joined(inputs, words, g)
    return exchange(g, words, lambda: g.communicator.all_to_all(values, counts, sent, [t.numel() for t in inputs]),
                    lambda: put_all(outputs, values, "all_to_all"), async_op)


@of_members
def all_to_all_single(output: Tensor, input: Tensor, output_split_sizes: list[int] | None = None,
                      input_split_sizes: list[int] | None = None, group: ProcessGroup | None = None,
                      async_op: bool = False) -> Work | None:
    """Write part i of the `input` of this process, number k, into part k of the `output` of process i.

    Args:
        input_split_sizes, output_split_sizes: the lengths of the parts, along the first dimension; None: equal ones.

    Raises as :func:`all_reduce`, and ``ValueError`` for parts that are not the whole.
    """
    g = member(group)
    sent, received = parts_of(input, input_split_sizes, "input", g), parts_of(output, output_split_sizes, "output", g)
    words = f"all_to_all_single of {describe(input).partition(' ')[0]}"
    if sent[g.rank()] != received[g.rank()] or output.dtype != input.dtype:
        same_size("all_to_all_single", output, input, 1, g)
    mine = flat(input, words, g)
    values, _ = flat_space([output], words, g)
    return exchange(g, words, lambda: g.communicator.all_to_all(values, received, mine, sent),
                    lambda: put(output, values, "all_to_all_single"), async_op)


def parts_of(t: Tensor, sizes: list[int] | None, name: str, group: ProcessGroup) -> list[int]:
    """How many elements each process's part of `t` has."""
    length = t.size(0) if t.dim() else 1
    if sizes is None or not len(sizes):
        if length % group.size():
            raise InvalidValueError(f"{group.where()}all_to_all_single: the {name}, of shape {tuple(t.shape)}, cannot be cut "
                                    f"into {group.size()} equal parts; pass {name}_split_sizes")
        return [t.numel() // group.size()] * group.size()
    if len(sizes) != group.size() or sum(sizes) != length:
        raise InvalidValueError(f"{group.where()}all_to_all_single: {name}_split_sizes, {list(sizes)}, must be {group.size()} "
                                f"numbers whose sum is {length}, the length of the {name}")
    return [size * (t.numel() // length if length else 0) for size in sizes]


@of_members
def barrier(group: ProcessGroup | None = None, async_op: bool = False, device_ids: Any = None,
            timeout: datetime.timedelta | None = None) -> Work | None:
    """Wait until all processes are here, and what they have asked of their GPUs is done. Raises ``RuntimeError`` if one does not
    come in time."""
    g = member(group)
    g.communicator.settle()
    if async_op:
        return Work(g, "barrier", [g.communicator.same("barrier")])
    Work(g, "barrier", [g.communicator.same("barrier")]).wait(timeout)
    return None


@of_members
def monitored_barrier(group: ProcessGroup | None = None, timeout: datetime.timedelta | None = None,
                      wait_all_ranks: bool = False) -> None:
    """Wait until all processes are here. Raises ``RuntimeError`` if some do not come in time, and names all of them."""
    g = member(group)
    g.communicator.settle()
    Work(g, "monitored_barrier", [g.communicator.same("monitored_barrier")]).wait(timeout)
