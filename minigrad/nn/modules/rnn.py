"""Recurrent layers and cells: Elman networks, LSTM (Hochreiter & Schmidhuber 1997) and GRU (Cho et al. 2014)."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any

from minigrad._tensor import Tensor
from minigrad.errors import ArgumentError, InvalidValueError, RuntimeValueError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.modules.factory import parameter
from minigrad.nn.modules.module import Module
from minigrad.nn.utils.rnn import PackedSequence
from minigrad.ops.neural.recurrent import gru_layer, lstm_layer, rnn_relu_layer, rnn_tanh_layer
from minigrad.ops.shaping.slicing import cat, stack

if TYPE_CHECKING:
    from minigrad._types.annotations import DeviceLike
    from minigrad._types.dtypes import dtype

__all__ = ["GRU", "LSTM", "RNN", "GRUCell", "LSTMCell", "RNNBase", "RNNCell", "RNNCellBase"]

GATES = {"RNN_TANH": 1, "RNN_RELU": 1, "LSTM": 4, "GRU": 3}
LAYERS: dict[str, Any] = {"RNN_TANH": rnn_tanh_layer, "RNN_RELU": rnn_relu_layer, "LSTM": lstm_layer, "GRU": gru_layer}


def advance(mode: str, from_input: Any, state: tuple[Any, ...], weight_hh: Any, bias_hh: Any) -> tuple[Any, ...]:
    """The state after one step of a cell, to which the input contributes `from_input`. A step is quicker by these operations than
    as a layer of one time, which has more results than a cell."""
    h = state[0]
    from_state = F.linear(h, weight_hh, bias_hh)
    if mode == "RNN_TANH":
        return ((from_input + from_state).tanh(),)
    if mode == "RNN_RELU":
        return ((from_input + from_state).relu(),)
    if mode == "GRU":
        (r, z, n), (hr, hz, hn) = from_input.chunk(3, -1), from_state.chunk(3, -1)
        new = (n + (r + hr).sigmoid() * hn).tanh()
        return (new + (z + hz).sigmoid() * (h - new),)
    i, f, g, o = (from_input + from_state).chunk(4, -1)
    c = f.sigmoid() * state[1] + i.sigmoid() * g.tanh()
    return o.sigmoid() * c.tanh(), c


def run_layer(mode: str, input: Any, state: tuple[Any, ...], weights: dict[str, Any], batch_sizes: tuple[int, ...] | None = None,
              reverse: bool = False) -> tuple[Any, ...]:
    """One layer in one direction.

    Args:
        input: of shape (times, sequences, size), or (elements, size) with the number of sequences at each time as `batch_sizes`.
        state: the state before, ``(h,)``, or ``(h, c)`` of an LSTM.

    Returns: the outputs, and each part of the state after.
    """
    projected = F.linear(input, weights["weight_ih"], weights.get("bias_ih"))  # one product for all times
    recurrent = [weights["weight_hh"], weights.get("bias_hh")]
    if "weight_hr" in weights:
        recurrent.append(weights["weight_hr"])
    return tuple(LAYERS[mode](projected, *state, *recurrent, batch_sizes=batch_sizes, reverse=reverse))[:1 + len(state)]


def states_of(layer: Any, hx: Any) -> tuple[Any, ...] | None:
    """The state that `layer` was given, as a tuple: an LSTM's is the pair (h, c), that of the others one tensor."""
    if hx is None:
        return None
    name, single = type(layer).__name__, isinstance(hx, Tensor)
    if layer.mode != "LSTM":
        if not single:
            raise ArgumentError(f"{name}: the state hx must be a Tensor, not {type(hx).__name__}; only LSTM's is a pair (h, c)")
        return (hx,)
    if single or len(hx) != 2:
        got = f"one Tensor of shape {list(hx.shape)}" if single else f"{len(hx)} of them"
        raise RuntimeValueError(f"{name}: the state hx must be a pair of tensors (h, c), but got {got}")
    return tuple(hx)


class RNNBase(Module):
    """What RNN, LSTM and GRU share: the weights of every layer and direction, and the run through time.

    The weights of layer k are ``weight_ih_lk`` (gates * hidden_size, inputs), ``weight_hh_lk`` (gates * hidden_size,
    hidden_size), ``bias_ih_lk``, ``bias_hh_lk`` and, with `proj_size`, ``weight_hr_lk``; ``_reverse`` is added for the other
    direction.
    """

    def __init__(self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
                 device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__()
        if isinstance(dropout, bool) or not isinstance(dropout, (int, float)) or not 0 <= dropout <= 1:
            raise InvalidValueError("dropout should be a number in range [0, 1] representing the probability of an element being "
                                    "zeroed")
        if dropout > 0 and num_layers == 1:
            warnings.warn("dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                          f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}", stacklevel=3)
        for setting, value, kind in (("input_size", input_size, int), ("hidden_size", hidden_size, int), ("bias", bias, bool),
                                     ("batch_first", batch_first, bool)):
            if not isinstance(value, kind):
                raise ArgumentError(f"{setting} should be of type {kind.__name__}, got: {type(value).__name__}")
        for setting, number in (("input_size", input_size), ("hidden_size", hidden_size), ("num_layers", num_layers)):
            if number <= 0:
                raise InvalidValueError(f"{setting} must be greater than zero")
        if proj_size and mode != "LSTM":
            raise InvalidValueError("proj_size argument is only supported for LSTM, not RNN or GRU")
        if proj_size < 0:
            raise InvalidValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise InvalidValueError("proj_size has to be smaller than hidden_size")
        if mode not in GATES:
            raise InvalidValueError("Unrecognized RNN mode: " + mode)
        self.mode, self.input_size, self.hidden_size, self.num_layers, self.bias = mode, input_size, hidden_size, num_layers, bias
        self.batch_first, self.dropout, self.bidirectional, self.proj_size = batch_first, float(dropout), bidirectional, proj_size
        gates, out = GATES[mode] * hidden_size, proj_size or hidden_size
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            inputs = input_size if layer == 0 else out * (1 + bidirectional)
            for reverse in ("", "_reverse")[:1 + bidirectional]:
                shapes: dict[str, tuple[int, ...]] = {"weight_ih": (gates, inputs), "weight_hh": (gates, out)}
                if bias:
                    shapes.update(bias_ih=(gates,), bias_hh=(gates,))
                if proj_size:
                    shapes["weight_hr"] = (proj_size, hidden_size)
                for name, shape in shapes.items():
                    self.register_parameter(f"{name}_l{layer}{reverse}", parameter(*shape, device=device, dtype=dtype))
                self._all_weights.append([f"{name}_l{layer}{reverse}" for name in shapes])
        self.reset_parameters()

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take the attributes of a pickled module; before PyTorch 1.8 there was no `proj_size`."""
        super().__setstate__({"proj_size": 0, **state})

    def reset_parameters(self) -> None:
        """Draw every weight anew from U(-1/sqrt(hidden_size), 1/sqrt(hidden_size))."""
        bound = 1 / math.sqrt(self.hidden_size)
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    @property
    def all_weights(self) -> list[list[Any]]:
        """The weights of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    @property
    def _flat_weights(self) -> list[Any]:
        """The weights in one list; None for one that is not there now."""
        return [getattr(self, name, None) for names in self._all_weights for name in names]

    def flatten_parameters(self) -> None:
        """PyTorch's arrangement of weights for cuDNN; there is nothing to arrange here."""

    def extra_repr(self) -> str:
        parts = [str(self.input_size), str(self.hidden_size)]
        for name, usual in (("proj_size", 0), ("num_layers", 1), ("bias", True), ("batch_first", False), ("dropout", 0),
                            ("bidirectional", False)):
            if getattr(self, name) != usual:
                parts.append(f"{name}={getattr(self, name)}")
        return ", ".join(parts)

    def forward(self, input: Tensor | PackedSequence, hx: Tensor | tuple[Tensor, Tensor] | None = None) -> tuple[Any, Any]:
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.ndim not in (2, 3):
            raise InvalidValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {input.ndim}D instead")
        single = input.ndim == 2
        states = states_of(self, hx)
        if states is not None and any(h.ndim != input.ndim for h in states):
            kind = "unbatched 2-D" if single else "batched 3-D"
            raise ShapeError(f"For {kind} input, hx {'and cx ' if self.mode == 'LSTM' else ''}should also be {input.ndim}-D but "
                             f"got {'/'.join(str(h.ndim) for h in states)}-D tensor")
        if single:
            input = input.unsqueeze(0 if self.batch_first else 1)
            states = None if states is None else tuple(h.unsqueeze(1) for h in states)
        if self.batch_first:
            input = input.transpose(0, 1)
        self._check_width(input)
        if not input.shape[0]:
            raise ShapeError(f"{type(self).__name__}: Expected sequence length to be larger than 0 in RNN, but got an input of "
                             f"shape {list(input.shape)}")
        output, finals = self._run(input, self._states(states, input.shape[1], input))
        if self.batch_first:
            output = output.transpose(0, 1)
        if single:
            output, finals = output.squeeze(0 if self.batch_first else 1), tuple(h.squeeze(1) for h in finals)
        return output, finals if self.mode == "LSTM" else finals[0]

    def _forward_packed(self, input: PackedSequence, hx: Any) -> tuple[Any, Any]:
        self._check_width(input.data)
        counts = tuple(input.batch_sizes.tolist())
        states = states_of(self, hx)
        if states is not None and input.sorted_indices is not None:
            states = tuple(h.index_select(1, input.sorted_indices) for h in states)
        output, finals = self._run(input.data, self._states(states, counts[0], input.data), counts)
        if input.unsorted_indices is not None:
            finals = tuple(h.index_select(1, input.unsorted_indices) for h in finals)
        packed = PackedSequence(output, input.batch_sizes, input.sorted_indices, input.unsorted_indices)
        return packed, finals if self.mode == "LSTM" else finals[0]

    def _check_width(self, input: Any) -> None:
        weight = getattr(self, self._all_weights[0][0])
        if input.dtype is not weight.dtype:
            raise InvalidValueError(f"{type(self).__name__}: RNN input dtype ({input.dtype}) does not match weight dtype "
                                    f"({weight.dtype}). Convert input: input.to({weight.dtype}), or convert model: "
                                    f"model.to({input.dtype})")
        if input.shape[-1] != self.input_size:
            raise ShapeError(f"{type(self).__name__}: input.size(-1) must be equal to input_size. Expected {self.input_size}, "
                             f"got {input.shape[-1]}: input has shape {list(input.shape)}")

    def _states(self, states: Any, batch: int, like: Any) -> tuple[Any, ...]:
        """The initial states, checked, or zeros: each (layers * directions, batch, size)."""
        count = self.num_layers * (1 + self.bidirectional)
        sizes = [self.proj_size or self.hidden_size] + [self.hidden_size] * (self.mode == "LSTM")
        wanted = [(count, batch, size) for size in sizes]
        if states is None:
            return tuple(like.new_zeros(shape) for shape in wanted)
        for k, (h, shape) in enumerate(zip(states, wanted)):
            if tuple(h.shape) != shape:
                which = f"hidden[{k}]" if self.mode == "LSTM" else "hidden"
                raise ShapeError(f"{type(self).__name__}: Expected {which} size {shape}, got {list(h.shape)}: it is "
                                 "(layers * directions, batch, size)")
        return tuple(states)

    def _run(self, input: Any, states: tuple[Any, ...],
             batch_sizes: tuple[int, ...] | None = None) -> tuple[Any, tuple[Any, ...]]:
        """Through all layers, of which each has the output of the one before for its input."""
        finals: list[tuple[Any, ...]] = []
        directions = 1 + self.bidirectional
        for layer in range(self.num_layers):
            if layer and self.dropout and self.training:
                input = F.dropout(input, self.dropout)
            outputs = []
            for k in range(layer * directions, (layer + 1) * directions):
                weights = {name.split("_l")[0]: getattr(self, name) for name in self._all_weights[k]}
                output, *final = run_layer(self.mode, input, tuple(h[k] for h in states), weights, batch_sizes,
                                           reverse=k % directions == 1)
                outputs.append(output)
                finals.append(tuple(final))
            input = outputs[0] if directions == 1 else cat(outputs, dim=-1)
        return input, tuple(stack(hs) for hs in zip(*finals))


class RNN(RNNBase):
    """``h_t = tanh(x_t @ W_ih.T + b_ih + h_(t-1) @ W_hh.T + b_hh)``, or with `nonlinearity` ``"relu"``.

    Shapes: input (T, N, input_size), or (N, T, input_size) with `batch_first`, or (T, input_size), or a packed sequence; the
    state (layers * directions, N, hidden_size). Returns the last layer's output at each time and the final state.
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, nonlinearity: str = "tanh", bias: bool = True,
                 batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
                 device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise InvalidValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__("RNN_" + nonlinearity.upper(), input_size, hidden_size, num_layers, bias, batch_first, dropout,
                         bidirectional, proj_size, device, dtype)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory; the gates stand in the weights as input, forget, cell, output.

    Shapes as for :class:`RNN`, with a state ``(h, c)``. `proj_size` projects h to that size (Sak et al. 2014).

    >>> import minigrad as mg
    >>> output, (h, c) = mg.nn.LSTM(3, 5)(mg.ones(7, 2, 3))
    >>> tuple(output.shape), tuple(h.shape)
    ((7, 2, 5), (1, 2, 5))
    """

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: DeviceLike | None = None,
                 dtype: dtype | None = None) -> None:
        super().__init__("LSTM", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
                         device, dtype)


class GRU(RNNBase):
    """Gated recurrent units; the gates stand in the weights as reset, update, new. Shapes as for :class:`RNN`."""

    def __init__(self, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True, batch_first: bool = False,
                 dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0, device: DeviceLike | None = None,
                 dtype: dtype | None = None) -> None:
        super().__init__("GRU", input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size,
                         device, dtype)


class RNNCellBase(Module):
    """What the cells share: ``weight_ih``, ``weight_hh``, ``bias_ih``, ``bias_hh``, and the checks of one step's input."""

    mode: str

    def __init__(self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: DeviceLike | None = None,
                 dtype: dtype | None = None) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        gates = num_chunks * hidden_size
        self.weight_ih = parameter(gates, input_size, device=device, dtype=dtype)
        self.weight_hh = parameter(gates, hidden_size, device=device, dtype=dtype)
        self.register_parameter("bias_ih", parameter(gates, device=device, dtype=dtype) if bias else None)
        self.register_parameter("bias_hh", parameter(gates, device=device, dtype=dtype) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw every weight anew from U(-1/sqrt(hidden_size), 1/sqrt(hidden_size))."""
        bound = 1 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for p in self.parameters():
            init.uniform_(p, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}" + ("" if self.bias else f", bias={self.bias}")
        nonlinearity = getattr(self, "nonlinearity", "tanh")
        return text if nonlinearity == "tanh" else f"{text}, nonlinearity={nonlinearity}"

    def _step(self, input: Any, states: Any) -> tuple[Any, ...]:
        name = type(self).__name__
        if input.ndim not in (1, 2):
            raise InvalidValueError(f"{name}: Expected input to be 1D or 2D, got {input.ndim}D instead")
        for k, h in enumerate(states or ()):
            if h.ndim not in (1, 2):
                which = f"hx[{k}]" if self.mode == "LSTM" else "hidden"
                raise InvalidValueError(f"{name}: Expected {which} to be 1D or 2D, got {h.ndim}D instead")
        if input.shape[-1] != self.input_size:
            raise ShapeError(f"{name}: input has inconsistent input_size: got {input.shape[-1]} expected {self.input_size}")
        single = input.ndim == 1
        x = input.unsqueeze(0) if single else input
        if states is None:
            states = (x.new_zeros((len(x), self.hidden_size)),) * (2 if self.mode == "LSTM" else 1)
        elif single:
            states = tuple(h.unsqueeze(0) for h in states)
        for k, h in enumerate(states):
            if len(h) != len(x):
                raise ShapeError(f"{name}: Input batch size {len(x)} doesn't match hidden{k} batch size {len(h)}")
            if h.shape[1] != self.hidden_size:
                raise ShapeError(f"{name}: hidden{k} has inconsistent hidden_size: got {h.shape[1]}, expected {self.hidden_size}")
        new = advance(self.mode, F.linear(x, self.weight_ih, self.bias_ih), tuple(states), self.weight_hh, self.bias_hh)
        return tuple(h.squeeze(0) for h in new) if single else new


class RNNCell(RNNCellBase):
    """One step of :class:`RNN`: (N, input_size) and (N, hidden_size) to (N, hidden_size), or all without N."""

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh",
                 device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        if nonlinearity not in ("tanh", "relu"):
            raise RuntimeValueError(f"Unknown nonlinearity: {nonlinearity}")
        self.nonlinearity = nonlinearity

    @property
    def mode(self) -> str:  # type: ignore[override]
        """The name of the kind, which :class:`RNN` has too."""
        return "RNN_" + self.nonlinearity.upper()

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        hidden: Tensor = self._step(input, states_of(self, hx))[0]
        return hidden


class LSTMCell(RNNCellBase):
    """One step of :class:`LSTM`: takes and gives the state ``(h, c)``."""

    mode = "LSTM"

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: DeviceLike | None = None,
                 dtype: dtype | None = None) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor]:
        hidden, cell = self._step(input, states_of(self, hx))
        return hidden, cell


class GRUCell(RNNCellBase):
    """One step of :class:`GRU`."""

    mode = "GRU"

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True, device: DeviceLike | None = None,
                 dtype: dtype | None = None) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        hidden: Tensor = self._step(input, states_of(self, hx))[0]
        return hidden
