"""An optimizer whose state the processes of a group divide among them: the one there is has all of it."""

from __future__ import annotations

from typing import Any, Callable

from minigrad.distributed import ProcessGroup, get_world_size
from minigrad.optim.optimizer import Optimizer

__all__ = ["ZeroRedundancyOptimizer"]


class ZeroRedundancyOptimizer(Optimizer):
    """``optimizer_class(params, **defaults)``, of which each process of a group would keep a part: with one, the whole.

    ``torch.distributed.optim.ZeroRedundancyOptimizer`` leads here. `parameters_as_bucket_view` and `overlap_with_ddp` say how
    processes would exchange parameters: accepted, without effect. Raises ``ValueError`` before
    :func:`minigrad.distributed.init_process_group`.
    """

    def __init__(self, params: Any, optimizer_class: type[Optimizer], process_group: ProcessGroup | None = None,
                 parameters_as_bucket_view: bool = False, overlap_with_ddp: bool = False, **defaults: Any) -> None:
        get_world_size(process_group)
        self.optim = optimizer_class(params, **defaults)
        self.defaults = self.optim.defaults
        self.share()

    def share(self) -> None:
        """Let the groups and the state of both be the same objects, so that schedulers set them for both."""
        self.param_groups, self.state = self.optim.param_groups, self.optim.state

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add a group of parameters."""
        self.optim.add_param_group(param_group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """One step of the optimizer it stands for."""
        return self.optim.step(closure)

    def consolidate_state_dict(self, to: int = 0) -> None:
        """Bring the state of all processes to process `to`, which has it."""

    def state_dict(self) -> dict[str, Any]:
        """The state of the optimizer it stands for."""
        return self.optim.state_dict()

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load what :meth:`state_dict` returned."""
        self.optim.load_state_dict(state_dict)
        self.share()
