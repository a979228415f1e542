"""Every program in ``tests/autograd_parity`` gives in minigrad what it gives in PyTorch, but for those said to differ."""

import json
import warnings

import pytest

import minigrad
from tests.autograd_parity import all_programs

PROGRAMS, DIFFERENT = all_programs()


def outcome(t, function):
    """What `function` returns with the library `t`, or the name of the built-in class of the error it raises."""
    t.set_grad_enabled(True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return json.dumps(function(t), default=str)
        except Exception as error:
            return next(c for c in type(error).__mro__ if c.__module__ == "builtins").__name__


@pytest.mark.parity
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_does_what_it_does_in_pytorch(name):
    torch = pytest.importorskip("torch", reason="PyTorch, the oracle, is not installed")
    mine, theirs = (outcome(t, PROGRAMS[name]) for t in (minigrad, torch))
    assert (mine == theirs) == (name not in DIFFERENT), f"minigrad: {mine}, PyTorch: {theirs}"
