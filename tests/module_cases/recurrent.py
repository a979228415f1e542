"""Recurrent layers: their recurrence, step by step, layer by layer and in both directions."""

from __future__ import annotations

import numpy as np

from tests.module_cases import Bad, ModuleCase, normal, sigmoid

X, H, C = normal(4, 2, 3), normal(1, 2, 5), normal(1, 2, 5, seed=1)


def rnn_step(i, j, h, c):
    return np.tanh(i + j), c


def relu_step(i, j, h, c):
    return np.maximum(i + j, 0), c


def lstm_step(i, j, h, c):
    entry, forget, new, out = np.split(i + j, 4, axis=-1)
    c = sigmoid(forget) * c + sigmoid(entry) * np.tanh(new)
    return sigmoid(out) * np.tanh(c), c


def gru_step(i, j, h, c):
    (ir, iz, im), (hr, hz, hm) = np.split(i, 3, axis=-1), np.split(j, 3, axis=-1)
    z = sigmoid(iz + hz)
    return (1 - z) * np.tanh(im + sigmoid(ir + hr) * hm) + z * h, c


def cell(step):
    """One step of a cell."""
    def run(state, x, h=None, suffix=""):
        pair = isinstance(h, tuple)
        h, c = h if pair else (h, np.zeros_like(state[f"weight_hh{suffix}"][:0].sum(0)))
        if h is None:
            h = c = np.zeros((len(x), state[f"weight_hh{suffix}"].shape[1]))
        i = x @ state[f"weight_ih{suffix}"].T + state.get(f"bias_ih{suffix}", 0)
        j = h @ state[f"weight_hh{suffix}"].T + state.get(f"bias_hh{suffix}", 0)
        return step(i, j, h, c)
    return run


def layers(step, count=1, directions=1, lstm=False, batch_first=False):
    def run(state, x, start=None):
        x = x.swapaxes(0, 1) if batch_first else x
        heads, cells = [], []
        for k in range(count):
            parts = []
            for d in range(directions):
                suffix = f"_l{k}" + ("_reverse" if d else "")
                size = state[f"weight_hh{suffix}"].shape[1]
                first = (start if lstm else (start, start)) if start is not None else None
                h, c = [np.zeros((x.shape[1], size)) if first is None else part[k * directions + d] for part in first or (0, 0)]
                out = []
                for row in x[::-1] if d else x:
                    h, c = cell(step)(state, row, (h, c), suffix)
                    out.append(h)
                parts.append(np.stack(out[::-1] if d else out))
                heads.append(h)
                cells.append(c)
            x = np.concatenate(parts, axis=-1)
        out = x.swapaxes(0, 1) if batch_first else x
        return (out, np.stack(heads), np.stack(cells)) if lstm else (out, np.stack(heads))
    return run


def wrong(layer):
    return [Bad((normal(4, 2, 4),) if layer else (normal(2, 4),), RuntimeError,
                "must be equal to input_size. Expected 3, got 4" if layer else "inconsistent input_size: got 4 expected 3")]


def cases_of(name, step, lstm=False):
    state = (H, C) if lstm else H
    short = tuple([part[0] for part in state]) if lstm else H[0]

    def one_step(given, x, h=None):
        h, c = cell(step)(given, x, h)
        return (h, c) if lstm else h

    return {
        name: [ModuleCase(lambda t: getattr(t.nn, name)(3, 5), (X,), layers(step, lstm=lstm), batch=1, bad=wrong(True)),
               ModuleCase(lambda t: getattr(t.nn, name)(3, 5, bias=False), (X, state), layers(step, lstm=lstm)),
               ModuleCase(lambda t: getattr(t.nn, name)(3, 2, 2, bidirectional=True, batch_first=True), (X,),
                          layers(step, 2, 2, lstm, True))],
        f"{name}Cell": [ModuleCase(lambda t: getattr(t.nn, f"{name}Cell")(3, 5), (X[0],), one_step, batch=0, bad=wrong(False)),
                        ModuleCase(lambda t: getattr(t.nn, f"{name}Cell")(3, 5), (X[0], short), one_step)],
    }


CASES = {**cases_of("RNN", rnn_step), **cases_of("LSTM", lstm_step, lstm=True), **cases_of("GRU", gru_step)}
CASES["RNN"].append(ModuleCase(lambda t: t.nn.RNN(3, 5, nonlinearity="relu"), (X,), layers(relu_step)))
