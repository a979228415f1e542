"""An optimizer whose state the processes of a group divide among them."""

from __future__ import annotations

from typing import Any, Callable

from minigrad._pytree import tree_map
from minigrad._tensor import Tensor
from minigrad.distributed import ProcessGroup, all_gather_object
from minigrad.distributed.process_group import member
from minigrad.distributed.together import broadcast_together
from minigrad.errors import StateError
from minigrad.optim.optimizer import Optimizer

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer(Optimizer):
    """``optimizer_class(params, **defaults)``, of which each process of a group keeps a part: it moves about as many numbers as
    the others do, with the state that belongs to them, and gets from the others what they have moved.

    ``torch.distributed.optim.ZeroRedundancyOptimizer`` leads here. All processes have the same parameters and, from
    ``DistributedDataParallel``, the same gradients; they call :meth:`step` together. ``optim`` is the optimizer of this process's
    part. `parameters_as_bucket_view` and `overlap_with_ddp` are accepted, without effect. Raises ``ValueError`` before
    :func:`minigrad.distributed.init_process_group`, and what :func:`minigrad.distributed.broadcast` raises.
    """

    def __init__(self, params: Any, optimizer_class: type[Optimizer], process_group: ProcessGroup | None = None,
                 parameters_as_bucket_view: bool = False, overlap_with_ddp: bool = False, **defaults: Any) -> None:
        self.process_group = member(process_group)
        whole = optimizer_class(params, **defaults)
        self.defaults, self.param_groups = whole.defaults, whole.param_groups
        self.loads = [0] * self.process_group.size()  # how many numbers each process moves
        self.owners: dict[int, int] = {}
        self.consolidated: dict[int, Any] | None = None
        self.optim = optimizer_class([self.own_part(group) for group in self.param_groups], **defaults)
        self.state = self.optim.state

    def own_part(self, group: dict[str, Any]) -> dict[str, Any]:
        """The settings of `group`, with those of its parameters that this process moves. The largest are dealt out first."""
        for p in sorted(group["params"], key=lambda p: -p.numel()):
            owner = self.owners[id(p)] = self.loads.index(min(self.loads))
            self.loads[owner] += p.numel()
        return {**group, "params": [p for p in group["params"] if self.owners[id(p)] == self.process_group.rank()]}

    def parameters(self) -> list[Any]:
        return [p for group in self.param_groups for p in group["params"]]

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters."""
        super().add_param_group(param_group)
        self.optim.add_param_group(self.own_part(self.param_groups[-1]))

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of this process's part, with the settings of ``param_groups``; then the parameters that others have moved."""
        for part, group in zip(self.optim.param_groups, self.param_groups):
            part.update({name: value for name, value in group.items() if name != "params"})
        loss = self.optim.step(closure)
        for root in range(self.process_group.size() if self.process_group.size() > 1 else 0):
            moved = [p for p in self.parameters() if self.owners[id(p)] == root]
            broadcast_together(moved, self.process_group, root, "ZeroRedundancyOptimizer.step")
        return loss

    def consolidate_state_dict(self, to: int = 0) -> None:
        """Bring the state of all processes to process `to`, where :meth:`state_dict` then returns it, in host memory. All call
        this."""
        place = {id(p): k for k, p in enumerate(self.parameters())}
        mine = [p for group in self.optim.param_groups for p in group["params"]]
        states = {place[id(mine[k])]: tree_map(on_host, state) for k, state in self.optim.state_dict()["state"].items()}
        found: list[Any] = [None] * self.process_group.size()
        all_gather_object(found, states, self.process_group)
        if self.process_group.ranks[self.process_group.rank()] == to:
            self.consolidated = {k: state for part in found for k, state in part.items()}

    def state_dict(self) -> dict[str, Any]:
        """The state as :meth:`consolidate_state_dict` has found it, in the form of the optimizer it stands for. With one process
        that is its state now. Raises ``RuntimeError`` where it was not consolidated in this process."""
        if self.process_group.size() == 1:
            self.consolidate_state_dict()
        if self.consolidated is None:
            raise StateError("ZeroRedundancyOptimizer.state_dict: this process has a part of the state only; call "
                             "consolidate_state_dict(to=...) with its number in all processes before")
        count, groups = 0, []
        for group in self.param_groups:
            numbers = list(range(count, count := count + len(group["params"])))
            groups.append({**group, "params": numbers})
        return {"state": dict(sorted(self.consolidated.items())), "param_groups": groups}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what :meth:`state_dict`, or the optimizer it stands for, returned: each process is given all, and keeps a part."""
        place = {id(p): k for k, p in enumerate(self.parameters())}
        mine = [p for group in self.optim.param_groups for p in group["params"]]
        states = {k: state_dict["state"][place[id(p)]] for k, p in enumerate(mine) if place[id(p)] in state_dict["state"]}
        part = self.optim.state_dict()
        for new, loaded, group in zip(part["param_groups"], state_dict["param_groups"], self.param_groups):
            settings = {name: value for name, value in loaded.items() if name != "params"}
            new.update(settings)
            group.update(settings)
        self.optim.load_state_dict({"state": states, "param_groups": part["param_groups"]})
        self.state = self.optim.state


def on_host(value: Any) -> Any:
    """`value`, if it is a tensor in host memory: that of a GPU another process may not have."""
    return value.cpu() if isinstance(value, Tensor) else value
