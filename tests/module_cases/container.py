"""Containers: alone where they have a forward, else inside a module that uses them."""

from __future__ import annotations

import numpy as np

from tests.module_cases import Around, Bad, ModuleCase, normal

X = normal(2, 3)


def linear(state, prefix, x):
    return x @ state[f"{prefix}.weight"].T + state[f"{prefix}.bias"]


class InTurn(Around):
    """Calls the modules of a list or a dictionary one after the other."""

    def forward(self, x):
        for part in self.inner.values() if hasattr(self.inner, "values") else self.inner:
            x = part(x)
        return x


class Scaled(Around):
    """Multiplies by the parameters of a list or a dictionary one after the other."""

    def forward(self, x):
        for factor in self.inner.values() if hasattr(self.inner, "values") else self.inner:
            x = x * factor
        return x


def two_layers(first, second):
    return lambda state, x: linear(state, second, np.tanh(linear(state, first, x)))


def product(*names):
    return lambda state, x: x * state[names[0]] * state[names[1]]


WIDE = [Bad((normal(2, 4),), RuntimeError, "cannot be multiplied")]
UNEQUAL = [Bad((normal(2, 4),), RuntimeError, "must match")]


def parts(t):
    return t.nn.Linear(3, 4), t.nn.Tanh(), t.nn.Linear(4, 2)


CASES = {
    "Sequential": [ModuleCase(lambda t: t.nn.Sequential(*parts(t)), (X,), two_layers("0", "2"), batch=0, bad=WIDE)],
    "ModuleList": [ModuleCase(lambda t: InTurn(t.nn.ModuleList(parts(t))), (X,), two_layers("inner.0", "inner.2"),
                              batch=0, bad=WIDE)],
    "ModuleDict": [ModuleCase(lambda t: InTurn(t.nn.ModuleDict(dict(zip("abc", parts(t))))), (X,),
                              two_layers("inner.a", "inner.c"), batch=0, bad=WIDE)],
    "ParameterList": [ModuleCase(lambda t: Scaled(t.nn.ParameterList([t.ones(3), t.ones(1)])), (X,),
                                 product("inner.0", "inner.1"), batch=0, bad=UNEQUAL)],
    "ParameterDict": [ModuleCase(lambda t: Scaled(t.nn.ParameterDict({"a": t.ones(3), "b": t.ones(1)})), (X,),
                                 product("inner.a", "inner.b"), batch=0, bad=UNEQUAL)],
    "DataParallel": [ModuleCase(lambda t: t.nn.DataParallel(t.nn.Linear(3, 4)), (X,), lambda state, x: linear(state, "module", x),
                                bad=WIDE)],
    "LazyLinear": [ModuleCase(lambda t: t.nn.LazyLinear(4), (X,),
                              lambda state, x: x @ state["weight"].T + state["bias"], batch=0)],
}
