"""What one process sends to another."""

from __future__ import annotations

from typing import Any, Callable

from minigrad._tensor import Tensor
from minigrad.distributed.collectives import of_members, root
from minigrad.distributed.memory import describe, flat, put
from minigrad.distributed.process_group import ProcessGroup, is_no_member, member
from minigrad.distributed.work import Work, begun
from minigrad.errors import InvalidValueError, StateError

__all__ = ["P2POp", "batch_isend_irecv", "irecv", "isend", "recv", "send"]


def others(name: str, group: ProcessGroup | None) -> ProcessGroup:
    """The group, which has other processes."""
    g = member(group)
    if g.size() == 1:
        raise StateError(f"{name}: there is no other process to exchange tensors with; the group has one")
    return g


def other(name: str, g: ProcessGroup, number: int | None, in_group: int | None) -> int:
    """The number in the group of the process on the other side. Raises ``ValueError`` if it is this one."""
    found = root(name, g, number, in_group)
    if found == g.rank():
        raise InvalidValueError(f"{g.where()}{name} must be another process, not this one")
    return found


@of_members
def isend(tensor: Tensor, dst: int | None = None, group: ProcessGroup | None = None, tag: int = 0,
          group_dst: int | None = None) -> Work:
    """Begin to send `tensor` to process `dst`, where :func:`recv` or :func:`irecv` with the same `tag` takes it.

    Raises ``RuntimeError`` if there is no other process, ``ValueError`` if `dst` is none of them.
    """
    return begin_to_send("isend", tensor, dst, group, tag, group_dst)


def begin_to_send(name: str, tensor: Tensor, dst: int | None, group: ProcessGroup | None, tag: int,
                  group_dst: int | None) -> Work:
    g = others(name, group)
    to = other(f"{name}: dst", g, dst, group_dst)
    words = f"{name}(dst={g.ranks[to]}, tag={tag}) of {describe(tensor)}"
    values = flat(tensor, words, g)
    return Work(g, words, [begun(g, words, lambda: g.communicator.send(values, to, tag))], with_one=True)


@of_members
def irecv(tensor: Tensor, src: int | None = None, group: ProcessGroup | None = None, tag: int = 0,
          group_src: int | None = None) -> Work:
    """Begin to receive what process `src`, or with None any, sends with `tag`: `tensor` has its size and dtype.

    Raises as :func:`isend`; waiting for it does so where what comes is larger than `tensor`.
    """
    return begin_to_receive("irecv", tensor, src, group, tag, group_src)[0]


def begin_to_receive(name: str, tensor: Tensor, src: int | None, group: ProcessGroup | None, tag: int,
                     group_src: int | None) -> tuple[Work, Callable[[], int]]:
    """Also returns what says afterwards which process has sent it."""
    g = others(name, group)
    source = None if src is None and group_src is None else other(f"{name}: src", g, src, group_src)
    words = f"{name}(src={'any' if source is None else g.ranks[source]}, tag={tag}) of {describe(tensor)}"
    values = flat(tensor, words, g)
    done, sender = begun(g, words, lambda: g.communicator.receive(values, source, tag))
    return Work(g, words, [done], lambda: put(tensor, values, name), with_one=True), lambda: g.ranks[sender()]


@of_members
def send(tensor: Tensor, dst: int | None = None, group: ProcessGroup | None = None, tag: int = 0,
         group_dst: int | None = None) -> None:
    """Send `tensor` to process `dst`; as for :func:`isend`, but it waits until `tensor` may be changed again."""
    begin_to_send("send", tensor, dst, group, tag, group_dst).wait()


@of_members
def recv(tensor: Tensor, src: int | None = None, group: ProcessGroup | None = None, tag: int = 0,
         group_src: int | None = None) -> int:
    """Receive what process `src`, or with None any, sends with `tag`, and return its number; as for :func:`irecv`."""
    work, sender = begin_to_receive("recv", tensor, src, group, tag, group_src)
    work.wait()
    return sender()


class P2POp:
    """One of the exchanges of :func:`batch_isend_irecv`: `op` is :func:`isend` or :func:`irecv`, `peer` the other process."""

    def __init__(self, op: Callable[..., Any], tensor: Tensor, peer: int | None = None, group: ProcessGroup | None = None,
                 tag: int = 0, group_peer: int | None = None) -> None:
        if op not in (isend, irecv):
            raise InvalidValueError("P2POp: op must be distributed.isend or distributed.irecv")
        self.op, self.tensor, self.peer, self.group, self.tag, self.group_peer = op, tensor, peer, group, tag, group_peer


def batch_isend_irecv(p2p_op_list: list[P2POp]) -> list[Work]:
    """Begin all the exchanges of the list, and return the :class:`Work` of each."""
    if not p2p_op_list or not all(isinstance(op, P2POp) for op in p2p_op_list):
        raise InvalidValueError("batch_isend_irecv: p2p_op_list must be a list of P2POp with at least one")
    works = [x.op(x.tensor, x.peer, x.group, x.tag, x.group_peer) for x in p2p_op_list]
    for x in p2p_op_list:
        if not is_no_member(x.group):
            member(x.group).communicator.begin_sending()
    return works
