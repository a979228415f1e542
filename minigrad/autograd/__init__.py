"""Differentiating what was recorded, under PyTorch's names.

How operations are recorded is in :mod:`minigrad.recording`. To read how a derivative flows back through what was recorded,
begin with :mod:`~minigrad.autograd.engine` (the backward pass), then read :mod:`~minigrad.autograd.differentiate` (``backward``
and ``grad``) and :mod:`~minigrad.autograd.hooks`.
"""

from typing import Any as _Any

from minigrad import _paths
from minigrad.autograd import anomaly_mode, function, functional, grad_mode, graph
from minigrad.autograd.anomaly_mode import detect_anomaly, set_detect_anomaly
from minigrad.autograd.differentiate import backward, grad
from minigrad.autograd.explain import explain, graph_memory
from minigrad.autograd.function import Function
from minigrad.autograd.grad_mode import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
    set_multithreading_enabled,
)
from minigrad.autograd.gradcheck import gradcheck, gradgradcheck
from minigrad.autograd.variable import Variable

__all__ = ["Function", "Variable", "anomaly_mode", "backward", "detect_anomaly", "enable_grad", "explain", "function",
           "functional", "grad", "grad_mode", "gradcheck", "gradgradcheck", "graph", "graph_memory", "inference_mode",
           "is_grad_enabled", "is_inference_mode_enabled", "no_grad", "set_detect_anomaly", "set_grad_enabled",
           "set_multithreading_enabled"]


def __getattr__(name: str) -> _Any:
    return _paths.submodule(__name__, name)
