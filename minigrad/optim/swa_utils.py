"""Averages of a model's weights over training: stochastic weight averaging, and exponential moving averages."""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any, Callable, Iterable

import numpy as np

from minigrad import autograd
from minigrad._types.dtypes import int64
from minigrad.errors import InvalidValueError
from minigrad.nn.modules.factory import buffer
from minigrad.nn.modules.module import Module
from minigrad.nn.modules.normalization import BatchNorm
from minigrad.optim.blocks import blocks
from minigrad.optim.lr_scheduler import LRScheduler, per_group
from minigrad.optim.optimizer import Optimizer
from minigrad.recording.inplace import write_each

__all__ = ["AveragedModel", "SWALR", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
           "update_bn"]


def ema_formula(decay: float) -> Callable[[Any, Any, Any], Any]:
    if not 0 <= decay <= 1:
        raise InvalidValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    def ema_update(ema_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return decay * ema_param + (1 - decay) * current_param
    return ema_update


def swa_update(averaged_param: Any, current_param: Any, num_averaged: Any) -> Any:
    return averaged_param + (current_param - averaged_param) / (num_averaged + 1)


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], Any]:
    """The function ``decay * average + (1 - decay) * current``. Raises ``ValueError`` for a `decay` outside [0, 1]."""
    return autograd.no_grad()(ema_formula(decay))


def get_swa_avg_fn() -> Callable[[Any, Any, Any], Any]:
    """The function that gives the mean of all models so far."""
    return autograd.no_grad()(swa_update)


def over_lists(average: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], None]:
    """`average` for lists of tensors, written into the first."""
    @autograd.no_grad()
    def update(averaged_params: Any, current_params: Any, num_averaged: Any) -> None:
        for averaged, current in zip(averaged_params, current_params):
            averaged.copy_(average(averaged, current, num_averaged))
    return update


def over_arrays(formula: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], None]:
    """:func:`over_lists` of a formula of operators: NumPy's arrays of one dtype it is given as they are."""
    by_tensors = over_lists(formula)

    def update(averaged_params: Any, current_params: Any, num_averaged: Any) -> None:
        pairs = list(zip(averaged_params, current_params))
        plain = [(a.array, c.array) for a, c in pairs if a.array.__class__ is c.array.__class__ is np.ndarray
                 and a.array.dtype.char in "fd" and (a.array.dtype, a.array.shape) == (c.array.dtype, c.array.shape)]
        count, current = int(num_averaged), {id(a): c for a, c in plain}

        def write(averaged: Any) -> None:
            for a, c in blocks(averaged, current[id(averaged)]):
                a[...] = formula(a, c, count)
        write_each([a for a, _ in plain], write, "update_parameters")
        others = [pair for pair in pairs if id(pair[0].array) not in current]
        by_tensors([a for a, _ in others], [c for _, c in others], num_averaged)
    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], None]:
    """:func:`get_ema_avg_fn` for lists of tensors, in place."""
    return over_arrays(ema_formula(decay))


def get_swa_multi_avg_fn() -> Callable[[Any, Any, Any], None]:
    """:func:`get_swa_avg_fn` for lists of tensors, in place."""
    return over_arrays(swa_update)


class AveragedModel(Module):
    """A copy of `model` whose parameters are averages over the calls of :meth:`update_parameters`.

    Args:
        avg_fn: gives the new average from the old one, the model's value and how many were averaged; the mean by default.
        multi_avg_fn: the same for lists of tensors, in place.
        use_buffers: average the buffers too, instead of copying them.
    """

    def __init__(self, model: Any, device: Any = None, avg_fn: Callable[[Any, Any, Any], Any] | None = None,
                 multi_avg_fn: Callable[[Any, Any, Any], None] | None = None, use_buffers: bool = False) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module.to(device)
        self.register_buffer("n_averaged", buffer(0, device=device, dtype=int64))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Any) -> None:
        """Take the current parameters of `model` into the average."""
        def averaged_part(m: Any) -> list[Any]:
            return [p.detach() for p in (itertools.chain(m.parameters(), m.buffers()) if self.use_buffers else m.parameters())]

        ours = averaged_part(self.module)
        theirs = [p.to(mine.device) for p, mine in zip(averaged_part(model), ours)]
        if int(self.n_averaged) == 0:
            for mine, p in zip(ours, theirs):
                mine.copy_(p)
        else:
            average = self.multi_avg_fn or (over_lists(self.avg_fn) if self.avg_fn is not None else get_swa_multi_avg_fn())
            average(ours, theirs, self.n_averaged)
        if not self.use_buffers:
            for mine, b in zip(self.module.buffers(), model.buffers()):
                mine.detach().copy_(b.detach().to(mine.device))
        self.n_averaged.add_(1)


@autograd.no_grad()
def update_bn(loader: Iterable[Any], model: Any, device: Any = None) -> None:
    """Compute the running statistics of the batch norms in `model` anew, over the data of `loader`."""
    momenta = {m: m.momentum for m in model.modules() if isinstance(m, BatchNorm)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for m in momenta:
        m.reset_running_stats()
        m.momentum = None
    for input in loader:
        x = input[0] if isinstance(input, (list, tuple)) else input
        model(x if device is None else x.to(device))
    for m, momentum in momenta.items():
        m.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Anneals the rate to `swa_lr` in `anneal_epochs` steps, along a cosine or a line, and keeps it there."""

    def __init__(self, optimizer: Optimizer, swa_lr: Any, anneal_epochs: int = 10, anneal_strategy: str = "cos",
                 last_epoch: int = -1) -> None:
        if anneal_strategy not in ("cos", "linear"):
            raise InvalidValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise InvalidValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        for lr, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups):
            group["swa_lr"] = lr
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _share(self, step: int) -> float:
        """How much of the way to `swa_lr` has been gone after `step` steps."""
        part = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return part if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * part)) / 2

    def get_lr(self) -> list[Any]:
        self._check_within_step()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = self._share(step - 1), self._share(step)
        lrs = []
        for group in self.optimizer.param_groups:
            lr, goal = group["lr"], group["swa_lr"]
            start = goal if before == 1 else (lr - before * goal) / (1 - before)  # where the annealing began
            lrs.append(goal * now + start * (1 - now))
        return lrs
