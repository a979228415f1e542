"""Padding: NumPy's ``pad``, dimension by dimension from the last."""

from __future__ import annotations

import numpy as np

from tests.module_cases import Bad, ModuleCase, normal


def padded(sides, mode, **options):
    """As the layers have it: `sides` before and after the last dimension, then the one before it."""
    pairs = [(sides[k], sides[k + 1]) for k in range(0, len(sides), 2)][::-1]
    return lambda state, x: np.pad(x, [(0, 0)] * (x.ndim - len(pairs)) + pairs, mode=mode, **options)


def cases_of(n):
    """Those of the layers that pad the last `n` dimensions."""
    x = normal(2, 2, *(4, 5, 3)[3 - n:])
    sides = (1, 2, 2, 1, 1, 0)[:2 * n]
    found = {
        f"ConstantPad{n}d": [ModuleCase(lambda t: getattr(t.nn, f"ConstantPad{n}d")(sides, 3.5), (x,),
                                        padded(sides, "constant", constant_values=3.5), batch=0)],
        f"ZeroPad{n}d": [ModuleCase(lambda t: getattr(t.nn, f"ZeroPad{n}d")(1), (x,), padded((1, 1) * n, "constant"), batch=0)],
    }
    for name, mode in (("Reflection", "reflect"), ("Replication", "edge"), ("Circular", "wrap")):
        kind = f"{name}Pad{n}d"
        wrong = ([Bad((normal(3),), ValueError, f"expected {n + 1}D or {n + 2}D input .got 1D input")] if mode == "wrap" else
                 [Bad((normal(3),), RuntimeError, f"pad of length {2 * n} needs an input of")])
        found[kind] = [ModuleCase(lambda t, kind=kind: getattr(t.nn, kind)(sides), (x,), padded(sides, mode), batch=0, bad=wrong)]
    return found


CASES = {**cases_of(1), **cases_of(2), **cases_of(3)}
