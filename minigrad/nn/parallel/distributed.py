"""A module that the processes of a group train together."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

from minigrad.autograd.grad_mode import is_grad_enabled
from minigrad.distributed import ProcessGroup, all_gather_object, broadcast_object_list
from minigrad.distributed.memory import describe
from minigrad.distributed.process_group import member
from minigrad.distributed.together import broadcast_together
from minigrad.errors import DistError, RuntimeValueError, StateError
from minigrad.nn.modules.module import Module
from minigrad.nn.parallel.reducer import Reducer

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """A module trained by the processes of a group, each with its part of the data: all have the same weights, and the average of
    their gradients.

    It is in ``module``, and its parameters are named accordingly in ``state_dict()``. Every process makes one of an equal
    module; its weights become those of the first process. A backward pass exchanges gradients in buckets while it runs, and when
    it ends ``.grad`` holds the average, as if one process had the whole batch and a loss that is its mean.

    Args:
        module: what is trained.
        broadcast_buffers: before each forward, set buffers, such as running statistics, to those of the first process.
        init_sync: compare the parameters of all processes and begin with those of the first.
        process_group: the processes; None: all.
        bucket_cap_mb: the size of a bucket in MiB, 25 by default. The first is at most 1, so that the exchange begins early.
        find_unused_parameters: accepted, without effect: parameters that a pass does not reach are known when it ends. Where
            another process has a gradient for one, it counts as zeros; where none has, ``.grad`` stays as it is.
        device_ids, output_device, dim, check_reduction, gradient_as_bucket_view, static_graph: accepted, without effect.

    Raises:
        ValueError: before :func:`minigrad.distributed.init_process_group`.
        RuntimeError: if no parameter requires grad, or the parameters of two processes differ in name, shape or dtype; in a
            backward pass as :func:`minigrad.distributed.all_reduce` does.

    >>> from minigrad import distributed, nn, ones
    >>> distributed.init_process_group("gloo", rank=0, world_size=1)
    >>> model = nn.parallel.DistributedDataParallel(nn.Linear(2, 1))
    >>> model(ones(3, 2)).shape, list(model.state_dict())
    (minigrad.Size([3, 1]), ['module.weight', 'module.bias'])
    >>> distributed.destroy_process_group()
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0,
                 broadcast_buffers: bool = True, init_sync: bool = True, process_group: ProcessGroup | None = None,
                 bucket_cap_mb: float | None = None, find_unused_parameters: bool = False, check_reduction: bool = False,
                 gradient_as_bucket_view: bool = False, static_graph: bool = False, **kwargs: Any) -> None:
        super().__init__()
        group = member(process_group)
        if not any(p.requires_grad for p in module.parameters()):
            raise RuntimeValueError("DistributedDataParallel is not needed when a module doesn't have any parameters that "
                                    "require a gradient.")
        self.module, self.dim = module, dim
        self.device_ids, self.output_device = device_ids, output_device
        self.process_group, self.broadcast_buffers = group, broadcast_buffers
        self.require_backward_grad_sync = True
        self.bucket_bytes = int((25 if bucket_cap_mb is None else bucket_cap_mb) * (1 << 20))
        if group.size() > 1 and init_sync:
            check_equal(module, group)
            broadcast_together([*module.parameters(), *module.buffers()], group, 0, "DistributedDataParallel")
        self.reducer = self.new_reducer()

    def new_reducer(self) -> Reducer | None:
        """What averages the gradients; None where there is one process."""
        if self.process_group.size() == 1:
            return None
        return Reducer([p for p in self.module.parameters() if p.requires_grad], self.process_group, self.bucket_bytes)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("process_group", "reducer")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, or one from a file, belongs to the group of all processes, which make it together."""
        super().__setstate__(state)
        self.process_group = member(None)
        self.reducer = self.new_reducer()

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """``module(*inputs, **kwargs)``."""
        if self.reducer is not None:
            if self.require_backward_grad_sync and self.broadcast_buffers:
                broadcast_together(list(self.module.buffers()), self.process_group, 0, "buffers of DistributedDataParallel")
            if is_grad_enabled():
                self.reducer.begin_pass(self.require_backward_grad_sync)
        return self.module(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """A block whose gradients are not exchanged, but added to those of the next pass outside of it. The forward belongs into
        the block too."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    @contextlib.contextmanager
    def join(self, divide_by_initial_world_size: bool = True, enable: bool = True,
             throw_on_early_termination: bool = False) -> Iterator[None]:
        """A block in which PyTorch's processes may have different numbers of batches. Raises ``RuntimeError`` where there are
        several processes: give them equal numbers, as :class:`minigrad.utils.data.DistributedSampler` does."""
        if enable and self.reducer is not None:
            raise StateError("DistributedDataParallel.join: all processes must have the same number of batches: take a "
                             "DistributedSampler, which gives each the same number of samples")
        yield


def check_equal(module: Module, group: ProcessGroup) -> None:
    """Raise ``RuntimeError`` if the parameters or buffers of a process are not like those of the first."""
    mine = [f"{name}: {describe(t)}" for name, t in [*module.named_parameters(), *module.named_buffers()]]
    first: list[Any] = [mine]
    broadcast_object_list(first, group=group, group_src=0)
    pairs = zip([*mine, "nothing"], [*first[0], "nothing"])
    found: list[Any] = [None] * group.size()
    all_gather_object(found, next((f"{here} instead of {there}" for here, there in pairs if here != there), None), group)
    wrong = [f"process {group.ranks[k]} has {words}" for k, words in enumerate(found) if words is not None]
    if wrong:
        raise DistError(f"{group.where()}DistributedDataParallel: the modules of all processes must have the same parameters and "
                        f"buffers as that of process {group.ranks[0]}: {'; '.join(wrong)}")
