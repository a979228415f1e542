"""Attention and the transformer (Vaswani et al. 2017)."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Callable

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes
from minigrad.errors import InvalidValueError, RuntimeValueError, ShapeError
from minigrad.nn import functional as F
from minigrad.nn import init
from minigrad.nn.modules.container import ModuleList
from minigrad.nn.modules.dropout import Dropout
from minigrad.nn.modules.factory import buffer, parameter
from minigrad.nn.modules.linear import Linear
from minigrad.nn.modules.module import Module
from minigrad.nn.modules.normalization import LayerNorm

if TYPE_CHECKING:
    from minigrad._tensor import Tensor
    from minigrad._types.annotations import DeviceLike
    from minigrad._types.dtypes import dtype

__all__ = ["MultiheadAttention", "Transformer", "TransformerDecoder", "TransformerDecoderLayer", "TransformerEncoder",
           "TransformerEncoderLayer"]


class NonDynamicallyQuantizableLinear(Linear):
    """A :class:`Linear` under the name that PyTorch prints for attention's output projection."""


class MultiheadAttention(Module):
    """Attention in `num_heads` parts of `embed_dim`, with learnt projections of query, key, value and result.

    Args:
        bias: whether the projections have one.
        add_bias_kv: add a learnt key and value; `add_zero_attn` adds zeros.
        kdim, vdim: the widths of key and value, `embed_dim` by default.
        batch_first: tensors are (N, T, E) and not (T, N, E).

    Called with query, key and value it returns the result and, unless ``need_weights=False``, the weights, averaged over the
    heads or for each (``average_attn_weights=False``). In masks True, or -inf, means: do not look there.
    """

    def __init__(self, embed_dim: int, num_heads: int, dropout: float = 0.0, bias: bool = True, add_bias_kv: bool = False,
                 add_zero_attn: bool = False, kdim: int | None = None, vdim: int | None = None, batch_first: bool = False,
                 device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise InvalidValueError(f"embed_dim and num_heads must be greater than 0, got embed_dim={embed_dim} and "
                                    f"num_heads={num_heads} instead")
        self.embed_dim, self.num_heads, self.dropout, self.batch_first = embed_dim, num_heads, dropout, batch_first
        self.kdim, self.vdim = embed_dim if kdim is None else kdim, embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.head_dim = embed_dim // num_heads
        if self.head_dim * num_heads != embed_dim:
            raise AssertionError("embed_dim must be divisible by num_heads")

        def new_parameter(*size: int) -> Any:
            return parameter(*size, device=device, dtype=dtype)

        same = self._qkv_same_embed_dim
        self.register_parameter("q_proj_weight", None if same else new_parameter(embed_dim, embed_dim))
        self.register_parameter("k_proj_weight", None if same else new_parameter(embed_dim, self.kdim))
        self.register_parameter("v_proj_weight", None if same else new_parameter(embed_dim, self.vdim))
        self.register_parameter("in_proj_weight", new_parameter(3 * embed_dim, embed_dim) if same else None)
        self.register_parameter("in_proj_bias", new_parameter(3 * embed_dim) if bias else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        self.register_parameter("bias_k", new_parameter(1, 1, embed_dim) if add_bias_kv else None)
        self.register_parameter("bias_v", new_parameter(1, 1, embed_dim) if add_bias_kv else None)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for weight in (self.in_proj_weight, self.q_proj_weight, self.k_proj_weight, self.v_proj_weight):
            if weight is not None:
                init.xavier_uniform_(weight)
        if self.in_proj_bias is not None and self.out_proj.bias is not None:
            init.zeros_(self.in_proj_bias)
            init.zeros_(self.out_proj.bias)
        for extra in (self.bias_k, self.bias_v):
            if extra is not None:
                init.xavier_normal_(extra)

    def forward(self, query: Tensor, key: Tensor, value: Tensor, key_padding_mask: Tensor | None = None,
                need_weights: bool = True, attn_mask: Tensor | None = None, average_attn_weights: bool = True,
                is_causal: bool = False) -> tuple[Tensor, Tensor | None]:
        turned = self.batch_first and query.ndim == 3
        if turned:
            shared = query is key, key is value  # kept, as the three projections are then one product
            query = query.transpose(0, 1)
            key = query if shared[0] else key.transpose(0, 1)
            value = key if shared[1] else value.transpose(0, 1)
        result, weights = F.multi_head_attention_forward(
            query, key, value, self.embed_dim, self.num_heads, self.in_proj_weight, self.in_proj_bias, self.bias_k, self.bias_v,
            self.add_zero_attn, self.dropout, self.out_proj.weight, self.out_proj.bias, training=self.training,
            key_padding_mask=key_padding_mask, need_weights=need_weights, attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim, q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight, v_proj_weight=self.v_proj_weight, average_attn_weights=average_attn_weights,
            is_causal=is_causal)
        return (result.transpose(0, 1) if turned else result), weights


def _get_activation_fn(activation: Any) -> Any:
    """A function, or the one that ``"relu"`` or ``"gelu"`` names."""
    if callable(activation):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeValueError(f"activation should be relu/gelu, not {activation}")
    return F.relu if activation == "relu" else F.gelu


def _get_clones(module: Module, count: int) -> ModuleList:
    return ModuleList([copy.deepcopy(module) for _ in range(count)])


def _generate_square_subsequent_mask(size: int, device: DeviceLike | None = None, dtype: dtype | None = None) -> Any:
    """The (size, size) mask of -inf above the diagonal and 0 elsewhere."""
    mask = buffer(0, size, size, device="cpu", dtype=dtype)
    mask.array[...] = np.triu(np.full((size, size), -np.inf), 1)
    return mask.to(_arrays.as_device(device))


def _detect_is_causal_mask(mask: Any, said: bool | None, size: int | None = None) -> bool:
    """Whether a mask is the causal one: as was said, or else by looking."""
    if said is not None or mask is None:
        return said is True
    like = mask.dtype if mask.dtype.is_floating_point else dtypes.float32
    causal = _arrays.to_numpy(_generate_square_subsequent_mask(mask.shape[-2] if size is None else size, dtype=like).array)
    return tuple(mask.shape) == causal.shape and bool((mask.numpy(force=True) == causal).all())


class TransformerLayer(Module):
    """What encoder and decoder layers share: attention and a network of two linear layers, each added to its input and
    normalised.

    With `norm_first` the inputs are normalised instead (Xiong et al. 2020).
    """

    attentions = 1  # how many of them: the encoder's layer has one, the decoder's a second that looks at the encoder's output

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1, activation: Any = "relu",
                 layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False, bias: bool = True,
                 device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        if self.attentions == 2:
            self.multihead_attn = MultiheadAttention(d_model, nhead, dropout=dropout, batch_first=batch_first, **made)
        self.linear1 = Linear(d_model, dim_feedforward, **made)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, **made)
        self.norm_first = norm_first
        count = self.attentions + 1
        for k in range(1, count + 1):
            setattr(self, f"norm{k}", LayerNorm(d_model, eps=layer_norm_eps, **made))
        for k in range(1, count + 1):
            setattr(self, f"dropout{k}", Dropout(dropout))
        self.activation = _get_activation_fn(activation)

    def _sublayer(self, k: int, x: Tensor, compute: Callable[[Tensor], Tensor]) -> Tensor:
        """x plus what `compute` makes of it, with the k-th dropout and norm in their places."""
        norm, dropout = getattr(self, f"norm{k}"), getattr(self, f"dropout{k}")
        result: Tensor = x + dropout(compute(norm(x))) if self.norm_first else norm(x + dropout(compute(x)))
        return result

    def _feed_forward(self, x: Tensor) -> Tensor:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(TransformerLayer):
    """Self-attention and a network of two linear layers. Shapes: (T, N, d_model), or (N, T, d_model) with `batch_first`."""

    def forward(self, src: Tensor, src_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
                is_causal: bool = False) -> Tensor:
        x = self._sublayer(1, src, lambda y: self.self_attn(
            y, y, y, attn_mask=src_mask, key_padding_mask=src_key_padding_mask, is_causal=is_causal, need_weights=False)[0])
        return self._sublayer(2, x, self._feed_forward)


class TransformerDecoderLayer(TransformerLayer):
    """Self-attention, attention to the encoder's output `memory`, and a network of two linear layers."""

    attentions = 2

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
                tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
                tgt_is_causal: bool = False, memory_is_causal: bool = False) -> Tensor:
        x = self._sublayer(1, tgt, lambda y: self.self_attn(
            y, y, y, attn_mask=tgt_mask, key_padding_mask=tgt_key_padding_mask, is_causal=tgt_is_causal, need_weights=False)[0])
        x = self._sublayer(2, x, lambda y: self.multihead_attn(
            y, memory, memory, attn_mask=memory_mask, key_padding_mask=memory_key_padding_mask, is_causal=memory_is_causal,
            need_weights=False)[0])
        return self._sublayer(3, x, self._feed_forward)


class TransformerEncoder(Module):
    """`num_layers` copies of `encoder_layer`, and a last `norm`. `enable_nested_tensor` and `mask_check` change nothing here."""

    def __init__(self, encoder_layer: Any, num_layers: int, norm: Any = None, enable_nested_tensor: bool = True,
                 mask_check: bool = True) -> None:
        super().__init__()
        self.layers = _get_clones(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(self, src: Tensor, mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
                is_causal: bool | None = None) -> Tensor:
        causal = _detect_is_causal_mask(mask, is_causal)
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=causal)
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """`num_layers` copies of `decoder_layer`, and a last `norm`."""

    def __init__(self, decoder_layer: Any, num_layers: int, norm: Any = None) -> None:
        super().__init__()
        self.layers = _get_clones(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(self, tgt: Tensor, memory: Tensor, tgt_mask: Tensor | None = None, memory_mask: Tensor | None = None,
                tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
                tgt_is_causal: bool | None = None, memory_is_causal: bool = False) -> Tensor:
        causal = _detect_is_causal_mask(tgt_mask, tgt_is_causal)
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
                        memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=causal, memory_is_causal=memory_is_causal)
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder. Called with source and target: (S, N, d_model) and (T, N, d_model) to (T, N, d_model)."""

    def __init__(self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
                 dim_feedforward: int = 2048, dropout: float = 0.1, activation: Any = "relu", custom_encoder: Any = None,
                 custom_decoder: Any = None, layer_norm_eps: float = 1e-5, batch_first: bool = False, norm_first: bool = False,
                 bias: bool = True, device: DeviceLike | None = None, dtype: dtype | None = None) -> None:
        super().__init__()
        made: dict[str, Any] = {"bias": bias, "device": device, "dtype": dtype}
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first)
        self.encoder = custom_encoder if custom_encoder is not None else TransformerEncoder(
            TransformerEncoderLayer(*settings, **made), num_encoder_layers, LayerNorm(d_model, eps=layer_norm_eps, **made))
        self.decoder = custom_decoder if custom_decoder is not None else TransformerDecoder(
            TransformerDecoderLayer(*settings, **made), num_decoder_layers, LayerNorm(d_model, eps=layer_norm_eps, **made))
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def _reset_parameters(self) -> None:
        for p in self.parameters():
            if p.ndim > 1:
                init.xavier_uniform_(p)

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: DeviceLike | None = None, dtype: dtype | None = None) -> Any:
        """The mask by which a position sees only itself and what is before it: 0 there, -inf elsewhere."""
        return _generate_square_subsequent_mask(sz, device, dtype)

    def forward(self, src: Tensor, tgt: Tensor, src_mask: Tensor | None = None, tgt_mask: Tensor | None = None,
                memory_mask: Tensor | None = None, src_key_padding_mask: Tensor | None = None,
                tgt_key_padding_mask: Tensor | None = None, memory_key_padding_mask: Tensor | None = None,
                src_is_causal: bool | None = None, tgt_is_causal: bool | None = None, memory_is_causal: bool = False) -> Tensor:
        batched = src.ndim == 3
        at = 0 if self.batch_first else 1
        if batched and src.shape[at] != tgt.shape[at]:
            raise ShapeError(f"the batch number of src and tgt must be equal, but they are {src.shape[at]} and {tgt.shape[at]}")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError("the feature number of src and tgt must be equal to d_model: they are "
                             f"{src.shape[-1]}, {tgt.shape[-1]} and {self.d_model}")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        decoded: Tensor = self.decoder(
            tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask, tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask, tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal)
        return decoded
