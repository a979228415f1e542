"""Layers, losses and containers; their functional forms are in :mod:`minigrad.nn.functional`."""

from minigrad.nn import functional, init, utils
from minigrad.nn.functional.losses import LinearCrossEntropyOptions
from minigrad.nn.modules import *
from minigrad.nn.modules import Module
from minigrad.nn.parameter import Buffer, Parameter
