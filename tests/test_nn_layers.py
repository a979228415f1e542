"""Layers: their state, their printing, their values against NumPy, and what they refuse."""

from __future__ import annotations

import copy
import math
from typing import Any, Callable

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.nn.utils import parametrizations, parametrize, rnn
from minigrad.nn.utils.stateless import functional_call

# What a layer is made by, how it prints, the shapes of its state, its input's shape and its output's.
Row = tuple[Callable[[], nn.Module], str, dict[str, tuple[int, ...]], tuple[int, ...], tuple[int, ...]]
WEIGHT_BIAS_5 = {"weight": (5,), "bias": (5,)}
NORM_5 = {**WEIGHT_BIAS_5, "running_mean": (5,), "running_var": (5,), "num_batches_tracked": ()}

LAYERS: list[Row] = [
    (lambda: nn.Identity(3, x=1), "Identity()", {}, (2, 3), (2, 3)),
    (lambda: nn.Linear(3, 4), "Linear(in_features=3, out_features=4, bias=True)", {"weight": (4, 3), "bias": (4,)}, (2, 3),
     (2, 4)),
    (lambda: nn.Linear(3, 4, bias=False), "Linear(in_features=3, out_features=4, bias=False)", {"weight": (4, 3)}, (3,), (4,)),
    (lambda: nn.Flatten(), "Flatten(start_dim=1, end_dim=-1)", {}, (2, 3, 4), (2, 12)),
    (lambda: nn.Unflatten(1, (2, -1)), "Unflatten(dim=1, unflattened_size=(2, -1))", {}, (2, 6), (2, 2, 3)),
    (lambda: nn.Conv1d(2, 4, 3), "Conv1d(2, 4, kernel_size=(3,), stride=(1,))", {"weight": (4, 2, 3), "bias": (4,)}, (1, 2, 7),
     (1, 4, 5)),
    (lambda: nn.Conv2d(2, 4, 3, padding="same", groups=2, bias=False, padding_mode="reflect"),
     "Conv2d(2, 4, kernel_size=(3, 3), stride=(1, 1), padding=same, groups=2, bias=False, padding_mode=reflect)",
     {"weight": (4, 1, 3, 3)}, (1, 2, 5, 6), (1, 4, 5, 6)),
    (lambda: nn.Conv2d(2, 3, (1, 2), stride=2, padding=1, dilation=2),
     "Conv2d(2, 3, kernel_size=(1, 2), stride=(2, 2), padding=(1, 1), dilation=(2, 2))",
     {"weight": (3, 2, 1, 2), "bias": (3,)}, (1, 2, 5, 6), (1, 3, 4, 3)),
    (lambda: nn.Conv3d(1, 2, 2), "Conv3d(1, 2, kernel_size=(2, 2, 2), stride=(1, 1, 1))",
     {"weight": (2, 1, 2, 2, 2), "bias": (2,)}, (1, 1, 3, 3, 3), (1, 2, 2, 2, 2)),
    (lambda: nn.ConvTranspose1d(2, 4, 3), "ConvTranspose1d(2, 4, kernel_size=(3,), stride=(1,))",
     {"weight": (2, 4, 3), "bias": (4,)}, (1, 2, 5), (1, 4, 7)),
    (lambda: nn.ConvTranspose2d(2, 4, 3, stride=2, output_padding=1, groups=2),
     "ConvTranspose2d(2, 4, kernel_size=(3, 3), stride=(2, 2), output_padding=(1, 1), groups=2)",
     {"weight": (2, 2, 3, 3), "bias": (4,)}, (1, 2, 4, 4), (1, 4, 10, 10)),
    (lambda: nn.MaxPool2d(2), "MaxPool2d(kernel_size=2, stride=2, padding=0, dilation=1, ceil_mode=False)", {}, (1, 2, 4, 6),
     (1, 2, 2, 3)),
    (lambda: nn.MaxPool1d(2, 1), "MaxPool1d(kernel_size=2, stride=1, padding=0, dilation=1, ceil_mode=False)", {}, (1, 2, 4),
     (1, 2, 3)),
    (lambda: nn.AvgPool1d(2), "AvgPool1d(kernel_size=(2,), stride=(2,), padding=(0,))", {}, (1, 2, 4), (1, 2, 2)),
    (lambda: nn.AvgPool2d(2), "AvgPool2d(kernel_size=2, stride=2, padding=0)", {}, (1, 2, 4, 4), (1, 2, 2, 2)),
    (lambda: nn.AdaptiveAvgPool2d((1, None)), "AdaptiveAvgPool2d(output_size=(1, None))", {}, (1, 2, 4, 5), (1, 2, 1, 5)),
    (lambda: nn.AdaptiveMaxPool1d(2), "AdaptiveMaxPool1d(output_size=2)", {}, (1, 2, 5), (1, 2, 2)),
    (lambda: nn.LPPool1d(2.0, 3), "LPPool1d(norm_type=2.0, kernel_size=3, stride=None, ceil_mode=False)", {}, (1, 2, 6),
     (1, 2, 2)),
    (lambda: nn.BatchNorm1d(5), "BatchNorm1d(5, eps=1e-05, momentum=0.1, affine=True, bias=True, track_running_stats=True)",
     NORM_5, (3, 5), (3, 5)),
    (lambda: nn.BatchNorm2d(5, affine=False, track_running_stats=False),
     "BatchNorm2d(5, eps=1e-05, momentum=0.1, affine=False, bias=False, track_running_stats=False)", {}, (3, 5, 2, 2),
     (3, 5, 2, 2)),
    (lambda: nn.InstanceNorm1d(5, affine=True), "InstanceNorm1d(5, eps=1e-05, momentum=0.1, affine=True, bias=True, "
     "track_running_stats=False)", WEIGHT_BIAS_5, (2, 5, 3), (2, 5, 3)),
    (lambda: nn.LayerNorm((2, 5)), "LayerNorm((2, 5), eps=1e-05, elementwise_affine=True, bias=True)",
     {"weight": (2, 5), "bias": (2, 5)}, (3, 2, 5), (3, 2, 5)),
    (lambda: nn.RMSNorm(5), "RMSNorm((5,), eps=None, elementwise_affine=True)", {"weight": (5,)}, (3, 5), (3, 5)),
    (lambda: nn.GroupNorm(2, 4), "GroupNorm(2, 4, eps=1e-05, affine=True, bias=True)", {"weight": (4,), "bias": (4,)}, (2, 4, 3),
     (2, 4, 3)),
    (lambda: nn.LocalResponseNorm(2), "LocalResponseNorm(2, alpha=0.0001, beta=0.75, k=1.0)", {}, (1, 4, 3, 3), (1, 4, 3, 3)),
    (lambda: nn.Dropout(0.2, inplace=True), "Dropout(p=0.2, inplace=True)", {}, (2,), (2,)),
    (lambda: nn.ZeroPad2d(1), "ZeroPad2d((1, 1, 1, 1))", {}, (1, 2, 2), (1, 4, 4)),
    (lambda: nn.ConstantPad1d((1, 2), 3.5), "ConstantPad1d(padding=(1, 2), value=3.5)", {}, (1, 2), (1, 5)),
    (lambda: nn.ReflectionPad1d(1), "ReflectionPad1d((1, 1))", {}, (1, 3), (1, 5)),
    (lambda: nn.CircularPad2d(1), "CircularPad2d((1, 1, 1, 1))", {}, (1, 1, 2, 2), (1, 1, 4, 4)),
    (lambda: nn.Upsample(scale_factor=2), "Upsample(scale_factor=2.0, mode='nearest')", {}, (1, 1, 3), (1, 1, 6)),
    (lambda: nn.PixelShuffle(2), "PixelShuffle(upscale_factor=2)", {}, (1, 4, 2, 3), (1, 1, 4, 6)),
    (lambda: nn.Unfold(2), "Unfold(kernel_size=2, dilation=1, padding=0, stride=1)", {}, (1, 2, 3, 3), (1, 8, 4)),
    (lambda: nn.Fold((3, 3), 2), "Fold(output_size=(3, 3), kernel_size=2, dilation=1, padding=0, stride=1)", {}, (1, 8, 4),
     (1, 2, 3, 3)),
    (lambda: nn.PReLU(2), "PReLU(num_parameters=2)", {"weight": (2,)}, (1, 2, 3), (1, 2, 3)),
    (lambda: nn.Threshold(0.1, 20), "Threshold(threshold=0.1, value=20)", {}, (2,), (2,)),
    (lambda: nn.ReLU(True), "ReLU(inplace=True)", {}, (2,), (2,)),
    (lambda: nn.ReLU6(), "ReLU6()", {}, (2,), (2,)),
    (lambda: nn.Hardtanh(-2, 2), "Hardtanh(min_val=-2, max_val=2)", {}, (2,), (2,)),
    (lambda: nn.GELU("tanh"), "GELU(approximate='tanh')", {}, (2,), (2,)),
    (lambda: nn.Softplus(), "Softplus(beta=1.0, threshold=20.0)", {}, (2,), (2,)),
    (lambda: nn.Softshrink(), "Softshrink(0.5)", {}, (2,), (2,)),
    (lambda: nn.GLU(), "GLU(dim=-1)", {}, (2, 4), (2, 2)),
    (lambda: nn.Softmax(dim=1), "Softmax(dim=1)", {}, (2, 3), (2, 3)),
    (lambda: nn.Softmax2d(), "Softmax2d()", {}, (2, 3, 1, 1), (2, 3, 1, 1)),
]


@pytest.mark.parametrize("row", LAYERS, ids=[row[1].split("(")[0] for row in LAYERS])
def test_a_layer_prints_saves_and_computes(row: Row) -> None:
    make, text, state, given, result = row
    layer = make()
    assert repr(layer) == text
    assert {name: tuple(t.shape) for name, t in layer.state_dict().items()} == state
    x = mg.randn(*given, requires_grad=True)
    y = layer(x * 1)
    assert tuple(y.shape) == result and y.dtype is mg.float32
    y.sum().backward()
    assert tuple(x.grad.shape) == given and all(p.grad is not None for p in layer.parameters())
    twin = make()
    twin.load_state_dict(layer.state_dict())
    layer.eval(), twin.eval()
    assert np.array_equal(layer(x * 1).detach().numpy(), twin(x * 1).detach().numpy())


def test_rrelu_draws_in_training_and_averages_in_evaluation() -> None:
    x = -mg.ones(1000)
    layer = nn.RReLU(0.1, 0.3)
    y = layer(x).numpy()
    assert ((y <= -0.1) & (y >= -0.3)).all() and y.std() > 0.03
    assert np.allclose(layer.eval()(x).numpy(), -0.2)


def test_dropout_in_both_modes() -> None:
    x = mg.ones(50, 40)
    for layer in (nn.Dropout(0.25), nn.Dropout1d(0.25)):
        y = layer(x).numpy()
        assert set(np.unique(y)) == {0, np.float32(1 / 0.75)} and 0.1 < (y == 0).mean() < 0.4
        assert layer.eval()(x) is x
    with pytest.raises(ValueError, match="between 0 and 1, but got 1.5"):
        nn.Dropout(1.5)


def test_batch_norm_normalises_and_keeps_statistics() -> None:
    x = np.random.RandomState(0).standard_normal((6, 3, 4)) * 2 + 1
    norm = nn.BatchNorm1d(3).double()
    y = norm(mg.tensor(x)).detach().numpy()
    mean, var = x.mean((0, 2)), x.var((0, 2))
    np.testing.assert_allclose(y, (x - mean[:, None]) / np.sqrt(var + 1e-5)[:, None], rtol=1e-10)
    np.testing.assert_allclose(norm.running_mean.numpy(), 0.1 * mean)
    np.testing.assert_allclose(norm.running_var.numpy(), 0.9 + 0.1 * x.var((0, 2), ddof=1))
    assert int(norm.num_batches_tracked) == 1
    y = norm.eval()(mg.tensor(x)).detach().numpy()
    expected = (x - norm.running_mean.numpy()[:, None]) / np.sqrt(norm.running_var.numpy() + 1e-5)[:, None]
    np.testing.assert_allclose(y, expected, rtol=1e-10)
    average = nn.BatchNorm1d(3, momentum=None).double()
    average(mg.tensor(x))
    average(mg.tensor(x * 3))
    np.testing.assert_allclose(average.running_mean.numpy(), 2 * mean)
    with pytest.raises(ValueError, match="expected 4D input"):
        nn.BatchNorm2d(3)(mg.ones(2, 3))


def test_batch_norms_from_before_batches_were_counted_can_be_loaded() -> None:
    state = nn.BatchNorm1d(2).state_dict()
    del state["num_batches_tracked"], state._metadata
    assert nn.BatchNorm1d(2).load_state_dict(state).missing_keys == []


def test_a_transposed_convolution_may_be_told_its_output_size() -> None:
    up = nn.ConvTranspose1d(1, 1, 2, stride=2, bias=False)
    assert tuple(up(mg.ones(1, 1, 3), output_size=[7]).shape) == (1, 1, 7)
    with pytest.raises(ValueError, match="requested an output size of"):
        up(mg.ones(1, 1, 3), output_size=[9])


def test_what_layers_refuse() -> None:
    for make, text in ((lambda: nn.Conv2d(3, 4, 3, groups=2), "in_channels must be divisible by groups"),
                       (lambda: nn.Conv2d(2, 3, 3, groups=2), "out_channels must be divisible by groups"),
                       (lambda: nn.Conv2d(2, 2, 3, groups=0), "groups must be a positive integer"),
                       (lambda: nn.Conv2d(2, 2, 3, padding="other"), "Invalid padding string"),
                       (lambda: nn.Conv2d(2, 2, 3, padding="same", stride=2), "not supported for strided convolutions"),
                       (lambda: nn.Conv2d(2, 2, 3, padding_mode="other"), "padding_mode must be one of"),
                       (lambda: nn.ConvTranspose2d(2, 2, 3, padding_mode="reflect"), "Only \"zeros\" padding mode"),
                       (lambda: nn.GroupNorm(3, 4), "must be divisible by num_groups"),
                       (lambda: nn.Hardtanh(1, -1), "max_val must be greater than min_val"),
                       (lambda: nn.Bilinear(0, 1, 1), "in1_features must be > 0"),
                       (lambda: nn.RNN(1, 1, nonlinearity="other"), "Unknown nonlinearity"),
                       (lambda: nn.LSTM(1, 0), "hidden_size must be greater than zero"),
                       (lambda: nn.LSTM(1, 2, proj_size=2), "proj_size has to be smaller than hidden_size"),
                       (lambda: nn.MultiMarginLoss(p=3), "only p == 1 and p == 2 supported"),
                       (lambda: nn.TripletMarginLoss(margin=0), "expected margin to be greater than 0"),
                       (lambda: nn.FractionalMaxPool2d(2), "requires specifying either an output size, or a pooling ratio")):
        with pytest.raises(ValueError, match=text):
            make()
    with pytest.raises(RuntimeError, match=r"input.size\(-1\) must be equal to input_size. Expected 3, got 4"):
        nn.LSTM(3, 2)(mg.ones(5, 1, 4))
    with pytest.raises(RuntimeError, match=r"Expected hidden size \(1, 2, 5\), got \[1, 3, 5\]"):
        nn.GRU(3, 5)(mg.ones(4, 2, 3), mg.zeros(1, 3, 5))
    with pytest.raises(TypeError, match=r"GRU: the state hx must be a Tensor, not tuple; only LSTM's is a pair"):
        nn.GRU(3, 5)(mg.ones(4, 2, 3), (mg.zeros(1, 2, 5), mg.zeros(1, 2, 5)))
    for cell, x in ((nn.LSTM(3, 5), mg.ones(4, 2, 3)), (nn.LSTMCell(3, 5), mg.ones(2, 3))):
        with pytest.raises(RuntimeError, match=r"must be a pair of tensors \(h, c\), but got one Tensor of shape \[1, 2, 5\]"):
            cell(x, mg.zeros(1, 2, 5))
    with pytest.warns(UserWarning, match="adds dropout after all but last recurrent layer"):
        nn.GRU(3, 5, dropout=0.5)


# ---------------------------------------------------------------------------------------------------- embeddings

def test_embedding_looks_up_and_leaves_padding_alone() -> None:
    table = nn.Embedding(5, 3, padding_idx=-1)
    assert repr(table) == "Embedding(5, 3, padding_idx=4)" and float(table.weight[4].abs().sum()) == 0
    table(mg.tensor([[0, 4], [0, 2]])).sum().backward()
    assert table.weight.grad[:, 0].tolist() == [2, 0, 1, 0, 0]
    fixed = nn.Embedding.from_pretrained(mg.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert fixed(mg.tensor([1])).tolist() == [[3, 4]] and not fixed.weight.requires_grad
    short = nn.Embedding(3, 2, max_norm=1.0)
    with mg.no_grad():
        short.weight.fill_(3)
    short(mg.tensor([1]))
    assert np.allclose(np.linalg.norm(short.weight.detach().numpy(), axis=1), [math.sqrt(18), 1, math.sqrt(18)], atol=1e-5)
    bag = nn.EmbeddingBag.from_pretrained(mg.tensor([[1.0], [2.0], [4.0]]), mode="sum")
    assert bag(mg.tensor([0, 1, 2]), mg.tensor([0, 2])).tolist() == [[3], [4]]
    with pytest.raises(AssertionError, match="padding_idx must be within num_embeddings"):
        nn.Embedding(3, 2, padding_idx=3)


# ---------------------------------------------------------------------------------------------------- recurrent layers

@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_cells_are_one_step_of_their_layers(kind: Any) -> None:
    layer = kind(3, 5)
    cell = {nn.RNN: nn.RNNCell, nn.LSTM: nn.LSTMCell, nn.GRU: nn.GRUCell}[kind](3, 5)
    cell.load_state_dict({name[:-3]: t for name, t in layer.state_dict().items()})
    x = mg.randn(2, 3)
    out = cell(x)
    expected = layer(x.unsqueeze(0))[0][0].detach().numpy()
    np.testing.assert_allclose((out[0] if kind is nn.LSTM else out).detach().numpy(), expected, rtol=1e-6)
    assert tuple((cell(x[0])[0] if kind is nn.LSTM else cell(x[0])).shape) == (5,)


def in_steps(layer: Any, x: Any) -> tuple[Any, ...]:
    """The outputs of a layer and its last states, composed of operations for each step."""
    w_ih, w_hh, b_ih, b_hh, *w_hr = layer.parameters()
    h, c = x.new_zeros(x.shape[1], w_hh.shape[1]), x.new_zeros(x.shape[1], layer.hidden_size)
    outputs = []
    for step in x:
        a, b = step @ w_ih.T + b_ih, h @ w_hh.T + b_hh
        if layer.mode == "LSTM":
            i, f, n, o = (a + b).chunk(4, -1)
            c = f.sigmoid() * c + i.sigmoid() * n.tanh()
            h = o.sigmoid() * c.tanh()
            h = h @ w_hr[0].T if w_hr else h
        elif layer.mode == "GRU":
            (r, z, n), (hr, hz, hn) = a.chunk(3, -1), b.chunk(3, -1)
            z = (z + hz).sigmoid()
            h = (1 - z) * (n + (r + hr).sigmoid() * hn).tanh() + z * h
        else:
            h = (a + b).relu() if layer.mode == "RNN_RELU" else (a + b).tanh()
        outputs.append(h)
    return (mg.stack(outputs), h, c) if layer.mode == "LSTM" else (mg.stack(outputs), h)


@pytest.mark.parametrize("dtype", [mg.float64, mg.complex128])
@pytest.mark.parametrize("make", [
    lambda **to: nn.RNN(3, 4, **to), lambda **to: nn.RNN(3, 4, nonlinearity="relu", **to), lambda **to: nn.GRU(3, 4, **to),
    lambda **to: nn.LSTM(3, 4, **to), lambda **to: nn.LSTM(3, 4, proj_size=2, **to)])
def test_layers_are_their_steps_to_the_third_derivative(make: Callable[..., Any], dtype: Any) -> None:
    layer = make(dtype=dtype)
    if dtype.is_complex and layer.mode == "RNN_RELU":
        with pytest.raises(mg.errors.UnsupportedDtypeError, match="rnn_relu is not supported for complex tensors"):
            layer(mg.ones(2, 1, 3, dtype=dtype))
        return
    x = mg.randn(5, 2, 3, dtype=dtype) / 2
    found: list[list[Any]] = []
    for run in (lambda x: [t for out in layer(x) for t in (out if isinstance(out, tuple) else (out,))],
                lambda x: in_steps(layer, x)):
        leaves = [x.clone().requires_grad_(), *layer.parameters()]
        grads = outs = [t.squeeze(0) if k else t for k, t in enumerate(run(leaves[0]))]
        values = list(outs)
        for order in range(3):
            loss = sum([(g * mg.linspace(0.5, 1, g.numel(), dtype=dtype).reshape(g.shape)).sin().abs().square().sum()
                        for g in grads])
            grads = mg.autograd.grad(loss, leaves, create_graph=order < 2)
            values += grads
        found.append(values)
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one.detach().numpy(), other.detach().numpy(), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_packed_sequences_are_each_run_by_themselves(kind: Any) -> None:
    lengths = [2, 5, 3]
    sequences = [mg.randn(n, 3) for n in lengths]
    layer = kind(3, 4, bidirectional=True)
    out, state = layer(rnn.pack_sequence(sequences, enforce_sorted=False))
    padded, found = rnn.pad_packed_sequence(out)
    assert found.tolist() == lengths and tuple(padded.shape) == (5, 3, 8)
    for k, s in enumerate(sequences):
        alone, end = layer(s)
        np.testing.assert_allclose(padded[:len(s), k].detach().numpy(), alone.detach().numpy(), rtol=1e-5, atol=1e-6)
        ends = (state[0][:, k], end[0]) if kind is nn.LSTM else (state[:, k], end)
        np.testing.assert_allclose(ends[0].detach().numpy(), ends[1].detach().numpy(), rtol=1e-5, atol=1e-6)
        assert float(padded[len(s):, k].abs().sum()) == 0


def test_packing_and_padding() -> None:
    a, b = mg.tensor([1.0, 2.0, 3.0]), mg.tensor([4.0])
    assert rnn.pad_sequence([a, b]).tolist() == [[1, 4], [2, 0], [3, 0]]
    assert rnn.pad_sequence([a, b], batch_first=True, padding_value=-1, padding_side="left").tolist() == [[1, 2, 3], [-1, -1, 4]]
    packed = rnn.pack_sequence([a, b])
    assert packed.data.tolist() == [1, 4, 2, 3] and packed.batch_sizes.tolist() == [2, 1, 1]
    assert [s.tolist() for s in rnn.unpack_sequence(packed)] == [[1, 2, 3], [4]]
    assert packed.double().data.dtype is mg.float64
    padded, _ = rnn.pad_packed_sequence(packed, batch_first=True, total_length=4)
    assert padded.tolist() == [[1, 2, 3, 0], [4, 0, 0, 0]]
    with pytest.raises(RuntimeError, match="must be sorted in decreasing order"):
        rnn.pack_sequence([b, a])
    with pytest.raises(RuntimeError, match="has to be greater than 0"):
        rnn.pack_padded_sequence(mg.ones(3, 2), [3, 0])
    with pytest.raises(ValueError, match="total_length to be at least"):
        rnn.pad_packed_sequence(packed, total_length=2)


# ---------------------------------------------------------------------------------------------------- attention

def test_attention_may_leave_out_its_weights() -> None:
    layer, t = nn.MultiheadAttention(6, 2), mg.randn(4, 2, 6)
    result, weights = layer(t, t, t, need_weights=False)
    assert weights is None
    mg.testing.assert_close(result, layer(t, t, t)[0])


def test_transformers() -> None:
    model = nn.Transformer(8, 2, 1, 1, dim_feedforward=16, dropout=0.0, batch_first=True)
    src, tgt = mg.randn(3, 5, 8), mg.randn(3, 4, 8)
    mask = model.generate_square_subsequent_mask(4)
    assert mask.tolist()[0] == [0, -math.inf, -math.inf, -math.inf]
    out = model(src, tgt, tgt_mask=mask)
    assert tuple(out.shape) == (3, 4, 8)
    changed = tgt.clone()
    changed[:, 3] = 0
    np.testing.assert_allclose(model(src, changed, tgt_mask=mask)[:, :3].detach().numpy(), out[:, :3].detach().numpy(), rtol=1e-5)
    assert "encoder.layers.0.self_attn.in_proj_weight" in model.state_dict()
    assert "decoder.layers.0.multihead_attn.out_proj.bias" in model.state_dict()
    layers = nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, norm_first=True, activation="gelu"), 2, nn.LayerNorm(4))
    assert tuple(layers(mg.ones(5, 2, 4)).shape) == (5, 2, 4) and layers.layers[0] is not layers.layers[1]
    with pytest.raises(RuntimeError, match="activation should be relu/gelu"):
        nn.TransformerEncoderLayer(4, 2, activation="other")
    with pytest.raises(AssertionError, match="embed_dim must be divisible by num_heads"):
        nn.MultiheadAttention(5, 2)
    with pytest.raises(RuntimeError, match="equal to d_model"):
        model(mg.ones(3, 5, 7), tgt)


# ---------------------------------------------------------------------------------------------------- losses

def test_weights_of_losses_are_buffers() -> None:
    loss = nn.CrossEntropyLoss(weight=mg.tensor([1.0, 3.0]))
    assert list(loss.state_dict()) == ["weight"] and repr(loss) == "CrossEntropyLoss()"
    x = mg.tensor([[0.0, 0.0], [0.0, 1.0]])
    expected = (math.log(2) + 3 * math.log1p(math.exp(-1))) / 4
    assert float(loss(x, mg.tensor([0, 1]))) == pytest.approx(expected)
    with pytest.warns(UserWarning, match="reduction='sum'"):
        assert nn.MSELoss(size_average=False).reduction == "sum"


def test_adaptive_softmax_is_a_distribution() -> None:
    layer = nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 7], div_value=2.0).double()
    x = mg.randn(5, 8, dtype=mg.float64)
    everything = layer.log_prob(x)
    np.testing.assert_allclose(np.exp(everything.detach().numpy()).sum(1), 1)
    target = mg.tensor([0, 3, 11, 6, 7])
    output, loss = layer(x, target)
    np.testing.assert_allclose(output.detach().numpy(), everything.detach().numpy()[range(5), target.numpy()])
    assert float(loss) == pytest.approx(-output.detach().numpy().mean())
    assert layer.predict(x).tolist() == everything.argmax(1).tolist()
    with pytest.raises(RuntimeError, match=r"Target values should be in \[0, 11\]"):
        layer(x, target + 1)
    with pytest.raises(ValueError, match="cutoffs should be a sequence of unique"):
        nn.AdaptiveLogSoftmaxWithLoss(8, 12, [7, 3])


# ---------------------------------------------------------------------------------------------------- nn.utils

def test_clipping_gradients() -> None:
    a, b = mg.zeros(2, requires_grad=True), mg.zeros(1, requires_grad=True)
    a.grad, b.grad = mg.tensor([3.0, 0.0]), mg.tensor([4.0])
    assert float(nn.utils.get_total_norm([a.grad, b.grad], float("inf"))) == 4
    assert float(nn.utils.get_total_norm([a.grad, b.grad], 1.0)) == 7
    assert float(nn.utils.clip_grad_norm_([a, b], 10.0)) == 5 and a.grad.tolist() == [3, 0]
    assert float(nn.utils.clip_grad_norm_([a, b], 1.0)) == 5
    np.testing.assert_allclose([*a.grad.tolist(), *b.grad.tolist()], [0.6, 0, 0.8], rtol=1e-5)
    nn.utils.clip_grad_value_(iter([a, b]), 0.5)
    assert a.grad.tolist() == [0.5, 0] and b.grad.tolist() == [0.5]
    b.grad = mg.tensor([math.inf])
    with pytest.raises(RuntimeError, match="total norm of order 2.0 for gradients from `parameters` is non-finite"):
        nn.utils.clip_grad_norm_([a, b], 1.0, error_if_nonfinite=True)
    with pytest.warns(UserWarning, match="empty generator"):
        assert float(nn.utils.clip_grad_norm_([], 1.0)) == 0


def test_parameters_as_a_vector() -> None:
    net = nn.Linear(2, 3)
    vector = nn.utils.parameters_to_vector(net.parameters())
    assert tuple(vector.shape) == (9,) and vector.requires_grad
    nn.utils.vector_to_parameters(mg.arange(9.0), net.parameters())
    assert net.weight.tolist() == [[0, 1], [2, 3], [4, 5]] and net.bias.tolist() == [6, 7, 8]
    with pytest.raises(RuntimeError, match="have 9 elements, but the vector has 2"):
        nn.utils.vector_to_parameters(mg.ones(2), net.parameters())


class Symmetric(nn.Module):
    def forward(self, w: Any) -> Any:
        return w.triu() + w.triu(1).mT


@pytest.mark.parametrize(("forward", "inverse", "first", "second"), [
    (lambda x: 2, None, "must return a tensor", "must return a tensor"),
    (lambda x: x.bool(), None, "may not change the dtype", "may not change the dtype"),
    (lambda x: x[:-1], None, "may not change the shape", "may not change the shape"),
    (lambda x: x, lambda w: None, "Tensor or a Sequence", "right_inverse must return a tensor"),
    (lambda x, *y: x, lambda w: (w, None), "element 1 of the sequence with type NoneType", "right_inverse must return a tensor"),
    (lambda x: x.float(), lambda w: w.bool(), "may not change the dtype", "must have the same dtype"),
    (lambda x: x, lambda w: w[:-1], None, "must have the same shape")])
def test_parametrizations_that_do_not_fit_are_refused(forward: Any, inverse: Any, first: str | None, second: str) -> None:
    parts = {"forward": lambda self, *x: forward(*x), **({"right_inverse": lambda self, w: inverse(w)} if inverse else {})}
    unfit = type("Unfit", (nn.Module,), parts)
    layer = nn.Linear(2, 2)
    if first is not None:
        with pytest.raises(ValueError, match=first):
            parametrize.register_parametrization(layer, "weight", unfit())
        assert not parametrize.is_parametrized(layer) and "weight" in layer._parameters
    parametrize.register_parametrization(layer, "weight", nn.Identity())
    with pytest.raises(ValueError, match=second):
        parametrize.register_parametrization(layer, "weight", unfit())
    assert len(layer.parametrizations.weight) == 1  # type: ignore[union-attr]


def test_weights_without_a_shape_cannot_be_normalized() -> None:
    for normalize in (nn.utils.weight_norm, nn.utils.spectral_norm):
        with pytest.raises(ValueError, match="can't have uninitialized parameters"):
            normalize(nn.LazyLinear(2))
    lazy = nn.parameter.UninitializedParameter()
    lazy.materialize(3)
    assert type(lazy) is nn.Parameter and tuple(lazy.shape) == (3,)


def test_recurrent_layers_refuse_empty_sequences_and_projections() -> None:
    for kind in (nn.RNN, nn.GRU):
        with pytest.raises(ValueError, match="only supported for LSTM"):
            kind(2, 3, proj_size=1)
    for kind in (nn.RNN, nn.GRU, nn.LSTM):
        with pytest.raises(RuntimeError, match="sequence length to be larger than 0"):
            kind(2, 3)(mg.ones(0, 1, 2))


F = nn.functional


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: nn.LSTM(3.0, 5), TypeError, "input_size should be of type int, got: float"),  # type: ignore[arg-type]
    (lambda: nn.GRU(3, 5, bias=1), TypeError, "bias should be of type bool, got: int"),  # type: ignore[arg-type]
    (lambda: nn.RNN(0, 5), ValueError, "input_size must be greater than zero"),
    (lambda: nn.GRU(3, 5)(mg.ones(2, 4, 3).double()), ValueError, "RNN input dtype .* does not match weight dtype"),
    (lambda: nn.LSTMCell(3, 5)(mg.ones(2, 3), (mg.ones(2, 5), mg.ones(1, 5))), RuntimeError,
     "Input batch size 2 doesn't match hidden1 batch size 1"),
    (lambda: nn.GRUCell(3, 5)(mg.ones(2, 3), mg.ones(2, 4)), RuntimeError, "hidden_size: got 4, expected 5"),
    (lambda: nn.LSTMCell(3, 5)(mg.ones(2, 3), (mg.ones(2, 5), mg.ones(2, 5, 1))), ValueError, r"Expected hx\[1\] to be 1D or 2D"),
    (lambda: nn.HuberLoss(delta=1j), TypeError, "delta must be a float or int"),  # type: ignore[arg-type]
    (lambda: nn.Embedding(-1, 3), RuntimeError, "tensor with negative dimension"),
    (lambda: F.ctc_loss(mg.ones(0, 0, 4), *(mg.tensor([], dtype=mg.int64),) * 3), RuntimeError, "must not be empty"),
    (lambda: F.nll_loss(mg.ones(3, 2), mg.zeros(3, 4).long()), RuntimeError, "1D target tensor expected"),
    (lambda: F.cross_entropy(mg.ones(3, 2), mg.ones(3, 2).long()), RuntimeError, "Expected floating point type for target"),
    (lambda: F.cosine_embedding_loss(mg.ones(3, 2), mg.ones(3, 2), mg.ones(3, 1)), RuntimeError, "1D target tensor expected"),
    (lambda: F.grid_sample(mg.ones(1, 2, 2), mg.ones(1, 1, 1, 2)), RuntimeError, "grid to have size 1 in last dimension"),
    (lambda: F.grid_sample(mg.ones(1, 1, 0, 2), mg.ones(1, 1, 1, 2)), RuntimeError, "non-empty spatial dimensions"),
    (lambda: F.affine_grid(mg.ones(1, 2, 3).int(), (1, 1, 2, 2)), ValueError, "theta to have floating point type"),
    (lambda: F.affine_grid(mg.ones(1, 3, 4), (1, 2, 2)), NotImplementedError, "only supports 4D and 5D sizes"),
    (lambda: nn.Unflatten(1, (2, 5.0)), TypeError, "element of type float at pos 1"),
    (lambda: nn.MultiheadAttention(4, 2)(*(mg.ones(3, 2, 4),) * 3, key_padding_mask=mg.ones(2, 4).bool()), AssertionError,
     r"key_padding_mask should have the shape \[2, 3\]")])
def test_layers_and_losses_refuse_what_does_not_fit(call: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        call()


def test_affine_grids_of_one_point_warn() -> None:
    with pytest.warns(UserWarning, match="See the documentation of affine_grid for details"):
        F.affine_grid(mg.ones(1, 2, 3), (1, 1, 2, 1), align_corners=True)


def test_padding_of_nothing() -> None:
    for mode in ("reflect", "replicate"):
        assert tuple(nn.functional.pad(mg.ones(0, 2, 3), (1, 1), mode).shape) == (0, 2, 5)
        with pytest.raises(RuntimeError, match=r"Expected 2D or 3D \(batch mode\) tensor"):
            nn.functional.pad(mg.ones(3, 0, 3), (1, 1), mode)
    with pytest.raises(RuntimeError, match="resulting in an empty dimension"):
        nn.functional.pad(mg.ones(1, 1, 4), (-3, -2), "circular")


def test_instance_norm_says_that_it_does_not_look_at_the_number_of_features() -> None:
    with pytest.warns(UserWarning, match="size at dim=1 does not match num_features, 4, which is not used because affine=False"):
        nn.InstanceNorm1d(4)(mg.randn(2, 3, 5))


def test_parametrizations_take_a_parameters_place_and_leave_it() -> None:
    layer = nn.Linear(3, 3)
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert np.array_equal(layer.weight.detach().numpy(), layer.weight.detach().numpy().T)
    assert [n for n, _ in layer.named_parameters()] == ["bias", "parametrizations.weight.original"]
    assert repr(layer).startswith("ParametrizedLinear(") and parametrize.is_parametrized(layer, "weight")
    assert parametrize.type_before_parametrizations(layer) is nn.Linear
    layer(mg.ones(1, 3)).sum().backward()
    assert layer.parametrizations.weight.original.grad is not None
    with parametrize.cached():
        assert layer.weight is layer.weight
    twin = copy.deepcopy(layer)
    assert np.array_equal(twin.weight.detach().numpy(), layer.weight.detach().numpy())
    value = layer.weight.detach().numpy().copy()
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and np.array_equal(layer.weight.detach().numpy(), value)
    with pytest.raises(ValueError, match="does not have a parameter, a buffer"):
        parametrize.register_parametrization(layer, "other", Symmetric())

    class Flat(nn.Module):
        def forward(self, w: Any) -> Any:
            return w.flatten()

    with pytest.raises(ValueError, match="may not change the shape"):
        parametrize.register_parametrization(layer, "weight", Flat())


def test_weight_spectral_and_orthogonal_norms() -> None:
    layer = nn.Linear(3, 2)
    before = layer.weight.detach().numpy().copy()
    parametrizations.weight_norm(layer)
    np.testing.assert_allclose(layer.weight.detach().numpy(), before, rtol=1e-6)
    with mg.no_grad():
        layer.parametrizations.weight.original0.fill_(2)
    np.testing.assert_allclose(np.linalg.norm(layer.weight.detach().numpy(), axis=1), 2, rtol=1e-6)
    layer = parametrizations.spectral_norm(nn.Linear(3, 4)).eval()
    assert np.linalg.norm(layer.weight.detach().numpy(), 2) == pytest.approx(1, abs=1e-3)
    for orthogonal_map in ("matrix_exp", "cayley"):
        for shape in ((3, 4), (4, 3), (3, 3)):
            q = parametrizations.orthogonal(nn.Linear(*shape), orthogonal_map=orthogonal_map).weight.detach().numpy()
            small = q @ q.T if len(q) < q.shape[1] else q.T @ q
            np.testing.assert_allclose(small, np.eye(3), atol=1e-5)
    for norm, remove in ((nn.utils.weight_norm, nn.utils.remove_weight_norm),
                         (nn.utils.spectral_norm, nn.utils.remove_spectral_norm)):
        layer = norm(nn.Linear(3, 2)).eval()
        y = layer(mg.ones(1, 3)).detach().numpy()
        assert "weight" not in layer.state_dict()
        np.testing.assert_allclose(remove(layer)(mg.ones(1, 3)).detach().numpy(), y, rtol=1e-4)
        assert list(layer.state_dict()) == ["bias", "weight"]
        with pytest.raises(ValueError, match="not found"):
            remove(layer)


def test_functional_call_puts_tensors_in_the_place_of_parameters() -> None:
    net = nn.Sequential(nn.Linear(2, 1, bias=False), nn.BatchNorm1d(1))
    w = mg.tensor([[1.0, 2.0]], requires_grad=True)
    before = net[0].weight
    state = {"0.weight": w, "1.running_mean": mg.zeros(1)}
    functional_call(net, state, mg.tensor([[1.0, 2.0], [3.0, 5.0]])).pow(2).sum().backward()
    assert w.grad is not None and before.grad is None and net[0].weight is before
    assert float(net[1].running_mean) == 0 and float(state["1.running_mean"]) == pytest.approx(0.9)
    with pytest.raises(RuntimeError, match=r"Unexpected key\(s\): 'nothing'"):
        functional_call(net, {**net.state_dict(), "nothing": w}, mg.ones(2, 2), strict=True)
