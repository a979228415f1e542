"""Recording operations and differentiating what was recorded.

To read how a derivative flows: :mod:`~minigrad.autograd.graph` (what is recorded), :mod:`~minigrad.autograd.op` (how an
operation is declared and records itself), :mod:`~minigrad.autograd.engine` (the backward pass).
"""

from minigrad.autograd import functional, graph
from minigrad.autograd import modes as grad_mode
from minigrad.autograd import observe as anomaly_mode
from minigrad.autograd.differentiate import backward, grad
from minigrad.autograd.explain import explain, graph_memory
from minigrad.autograd.function import Function
from minigrad.autograd.gradcheck import gradcheck, gradgradcheck
from minigrad.autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from minigrad.autograd.observe import detect_anomaly, set_detect_anomaly

__all__ = ["Function", "anomaly_mode", "backward", "detect_anomaly", "enable_grad", "explain", "functional", "grad",
           "grad_mode", "gradcheck", "gradgradcheck", "graph", "graph_memory", "inference_mode", "is_grad_enabled",
           "is_inference_mode_enabled", "no_grad", "set_detect_anomaly", "set_grad_enabled"]
