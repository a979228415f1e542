"""A Ctrl-C at any line leaves no switch in another position: what is interrupted is lost, what comes after it works.

An interrupt is raised at the n-th line that a program executes inside the package, for many n. Python delivers one where a
function starts or a call ends. So the line of a ``with`` is passed over, to which a trace comes back before ``__exit__`` is
called; and ``__exit__`` itself, because nothing written in Python can guard its first line.
"""

from __future__ import annotations

import linecache
import sys
from types import FrameType
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn, optim
from minigrad.recording.clock import PACKAGE


class Interrupt(BaseException):
    """Not an ``Exception``, like ``KeyboardInterrupt``."""


def interrupt_at(line: int, program: Callable[[], None]) -> int:
    """Run `program` with an interrupt at the given number of lines inside the package; return how many it came to."""
    count = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if frame.f_code.co_name in ("__exit__", "__del__") or not frame.f_code.co_filename.startswith(PACKAGE):
            return None
        if event == "line" and not linecache.getline(frame.f_code.co_filename, frame.f_lineno).lstrip().startswith("with "):
            count += 1
            if count == line:
                raise Interrupt
        return trace

    before = sys.gettrace()  # that of a debugger, or of what measures coverage
    sys.settrace(trace)
    try:
        program()
    except Interrupt:
        pass
    finally:
        sys.settrace(before)
    return count


def train() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Tanh(), nn.Linear(3, 1))
    optimizer = optim.Adam(model.parameters())
    loss = nn.functional.mse_loss(model(mg.ones(4, 2)), mg.ones(4, 1))
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()


class Double(mg.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        ctx.save_for_backward(x)
        return x * 2

    @staticmethod
    @mg.autograd.function.once_differentiable
    def backward(ctx: Any, g: Any) -> Any:
        return g * 2


def write_in_place() -> None:
    x = mg.ones(3, requires_grad=True)
    y = x * 2
    y[0] = 1
    view = y.view(3, 1)
    view.add_(1).mul_(y[1])
    with mg.no_grad():
        y.detach().mul_(2)
    with mg.autograd.graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        z = Double.apply(y.exp())
    mg.autograd.grad(z.sum(), x, create_graph=True)


@pytest.mark.parametrize("program", [train, write_in_place])
def test_an_interrupt_leaves_every_switch_as_it_was(program: Callable[[], None]) -> None:
    program()
    lines = interrupt_at(-1, program)
    settings = np.geterr()
    wrong: list[int] = []
    for line in range(1, lines, max(lines // 150, 1)):
        interrupt_at(line, program)
        right = (mg.is_grad_enabled() and not mg.is_inference_mode_enabled() and np.geterr() == settings
                 and mg.recording.graph.observer.get() is None)
        mg.set_grad_enabled(True)
        if not right:
            wrong.append(line)
        program()
    assert not wrong
