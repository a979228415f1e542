"""The layers, by kind."""

from typing import Any as _Any

from minigrad import _paths
from minigrad.nn.modules.activation import *
from minigrad.nn.modules.adaptive import *
from minigrad.nn.modules.container import *
from minigrad.nn.modules.conv import *
from minigrad.nn.modules.distance import *
from minigrad.nn.modules.dropout import *
from minigrad.nn.modules.lazy import *
from minigrad.nn.modules.linear import *
from minigrad.nn.modules.loss import *
from minigrad.nn.modules.module import Module as Module
from minigrad.nn.modules.normalization import *
from minigrad.nn.modules.padding import *
from minigrad.nn.modules.pooling import *
from minigrad.nn.modules.rnn import *
from minigrad.nn.modules.shape import *
from minigrad.nn.modules.sparse import *
from minigrad.nn.modules.transformer import *


def __getattr__(name: str) -> _Any:
    return _paths.submodule(__name__, name)
