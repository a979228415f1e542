"""A module whose gradients all processes of a group share: those of the one there is."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

from minigrad.distributed import ProcessGroup, get_world_size
from minigrad.errors import RuntimeValueError
from minigrad.nn.modules.module import Module

__all__ = ["DistributedDataParallel"]


class DistributedDataParallel(Module):
    """A module trained by the processes of a group, each with its part of the data: here by one, as the module itself would be.

    It is in ``module``, and its parameters are named accordingly in ``state_dict()``. Other arguments say how processes
    would exchange gradients: accepted, without effect. Raises ``ValueError`` before
    :func:`minigrad.distributed.init_process_group`, ``RuntimeError`` if no parameter requires grad.

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
        get_world_size(process_group)
        if not any(p.requires_grad for p in module.parameters()):
            raise RuntimeValueError("DistributedDataParallel is not needed when a module doesn't have any parameters that "
                                    "require a gradient.")
        self.module, self.dim = module, dim
        self.device_ids, self.output_device = device_ids, output_device
        self.require_backward_grad_sync = True

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """``module(*inputs, **kwargs)``."""
        return self.module(*inputs, **kwargs)

    @contextlib.contextmanager
    def no_sync(self) -> Iterator[None]:
        """A block whose gradients are not exchanged, but added to those of the next pass."""
        before, self.require_backward_grad_sync = self.require_backward_grad_sync, False
        try:
            yield
        finally:
            self.require_backward_grad_sync = before

    @contextlib.contextmanager
    def join(self, divide_by_initial_world_size: bool = True, enable: bool = True,
             throw_on_early_termination: bool = False) -> Iterator[None]:
        """A block in which processes may have different numbers of batches: with one, an ordinary block."""
        yield
