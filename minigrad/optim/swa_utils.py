"""Averages of a model's weights over training: stochastic weight averaging, and exponential moving averages."""

from __future__ import annotations

import copy
import itertools
import math
from typing import Any, Callable, Iterable

import numpy as np

from minigrad import _arrays, autograd
from minigrad._types.dtypes import int64
from minigrad.errors import InvalidValueError
from minigrad.nn.modules.factory import buffer
from minigrad.nn.modules.module import Module
from minigrad.nn.modules.normalization import BatchNorm
from minigrad.optim.blocks import blocks
from minigrad.optim.lr_scheduler import LRScheduler, per_group
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.state import tensor_of
from minigrad.recording.inplace import write_each

__all__ = ["AveragedModel", "SWALR", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
           "update_bn"]


def get_ema_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], Any]:
    """The function ``decay * average + (1 - decay) * current``. Raises ``ValueError`` for a `decay` outside [0, 1]."""
    if not 0 <= decay <= 1:
        raise InvalidValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")

    @autograd.no_grad()
    def ema_update(ema_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return decay * ema_param + (1 - decay) * current_param
    return ema_update


def get_swa_avg_fn() -> Callable[[Any, Any, Any], Any]:
    """The function that gives the mean of all models so far."""
    @autograd.no_grad()
    def swa_update(averaged_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)
    return swa_update


def over_lists(average: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], None]:
    """`average` for lists of tensors, written into the first."""
    @autograd.no_grad()
    def update(averaged_params: Any, current_params: Any, num_averaged: Any) -> None:
        for averaged, current in zip(averaged_params, current_params):
            averaged.copy_(average(averaged, current, num_averaged))
    return update


def approach(averaged: Any, current: Any, part: float) -> None:
    """Move the array `averaged` in place by this part of its way to `current`."""
    # That is a step of gradient descent on half the square of their distance, whose slope is averaged - current.
    kernels = _arrays.kernels_of(averaged)
    if kernels.moves("sgd", averaged, current):
        kernels.move("sgd", [(averaged, current)], (part, 1.0, -1.0))
        return
    for a, c in blocks(averaged, current):
        a -= (a - c) * part


def in_place(part: Callable[[int], float], average: Callable[[Any, Any, Any], Any]) -> Callable[[Any, Any, Any], None]:
    """An average of lists of tensors, written into the first: NumPy's arrays of one dtype go ``part(num_averaged)`` of the way to
    the current ones, and for others it is `average`."""
    by_tensors = over_lists(average)

    def update(averaged_params: Any, current_params: Any, num_averaged: Any) -> None:
        share, alike, others = part(int(num_averaged)), {}, []
        for averaged, current in zip(averaged_params, current_params):
            a, c = averaged.array, current.array
            if a.__class__ is c.__class__ is np.ndarray and a.dtype.char in "fd" and (a.dtype, a.shape) == (c.dtype, c.shape):
                alike[id(a)] = a, c
            else:
                others.append((averaged, current))
        write_each([a for a, _ in alike.values()], lambda a: approach(*alike[id(a)], share), "update_parameters")
        by_tensors([averaged for averaged, _ in others], [current for _, current in others], num_averaged)
    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[[Any, Any, Any], None]:
    """:func:`get_ema_avg_fn` for lists of tensors, in place."""
    return in_place(lambda count: 1 - decay, get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Callable[[Any, Any, Any], None]:
    """:func:`get_swa_avg_fn` for lists of tensors, in place."""
    return in_place(lambda count: 1 / (count + 1), get_swa_avg_fn())


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
            found = itertools.chain(m.parameters(), m.buffers()) if self.use_buffers else m.parameters()
            return [tensor_of(p.array) for p in found]

        ours = averaged_part(self.module)
        theirs = averaged_part(model)
        if _arrays.accelerator_count():
            theirs = [p.to(mine.device) for p, mine in zip(theirs, ours)]
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
