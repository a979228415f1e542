"""Optimizers, and schedulers of their learning rates."""

from typing import Any as _Any

from minigrad import _paths
from minigrad.optim import lr_scheduler, swa_utils
from minigrad.optim.adam import Adam, Adamax, AdamW, NAdam, RAdam
from minigrad.optim.adaptive import ASGD, Adadelta, Adafactor, Adagrad, RMSprop, Rprop
from minigrad.optim.lbfgs import LBFGS
from minigrad.optim.muon import Muon
from minigrad.optim.optimizer import Optimizer
from minigrad.optim.sgd import SGD
from minigrad.optim.sparse_adam import SparseAdam

__all__ = ["ASGD", "LBFGS", "SGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "Muon", "NAdam", "Optimizer",
           "RAdam", "RMSprop", "Rprop", "SparseAdam", "lr_scheduler", "swa_utils"]


def __getattr__(name: str) -> _Any:
    return _paths.submodule(__name__, name)
