"""Layers, losses and containers; their functional forms are in :mod:`minigrad.nn.functional`."""

from typing import Any as _Any

from minigrad import _paths
from minigrad.nn import functional as functional
from minigrad.nn import init as init
from minigrad.nn import parallel as parallel
from minigrad.nn import utils as utils
from minigrad.nn.functional.losses import LinearCrossEntropyOptions as LinearCrossEntropyOptions
from minigrad.nn.modules import *
from minigrad.nn.modules import Module as Module
from minigrad.nn.modules.factory import factory_kwargs as factory_kwargs
from minigrad.nn.parallel import DataParallel as DataParallel
from minigrad.nn.parameter import Buffer as Buffer
from minigrad.nn.parameter import Parameter as Parameter
from minigrad.nn.parameter import UninitializedBuffer as UninitializedBuffer
from minigrad.nn.parameter import UninitializedParameter as UninitializedParameter


def __getattr__(name: str) -> _Any:
    return _paths.submodule(__name__, name)
