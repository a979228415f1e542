"""The names of ``minigrad.nn.functional``, for type checkers; made by ``python -m tests.typing.signatures``."""

from minigrad.nn.functional.activations import celu as celu
from minigrad.nn.functional.activations import elu as elu
from minigrad.nn.functional.activations import gumbel_softmax as gumbel_softmax
from minigrad.nn.functional.activations import hardsigmoid as hardsigmoid
from minigrad.nn.functional.activations import hardswish as hardswish
from minigrad.nn.functional.activations import hardtanh as hardtanh
from minigrad.nn.functional.activations import leaky_relu as leaky_relu
from minigrad.nn.functional.activations import log_softmax as log_softmax
from minigrad.nn.functional.activations import mish as mish
from minigrad.nn.functional.activations import relu as relu
from minigrad.nn.functional.activations import relu6 as relu6
from minigrad.nn.functional.activations import rrelu as rrelu
from minigrad.nn.functional.activations import rrelu_ as rrelu_
from minigrad.nn.functional.activations import selu as selu
from minigrad.nn.functional.activations import silu as silu
from minigrad.nn.functional.activations import softmax as softmax
from minigrad.nn.functional.activations import softmin as softmin
from minigrad.nn.functional.activations import threshold as threshold
from minigrad.nn.functional.attention import multi_head_attention_forward as multi_head_attention_forward
from minigrad.nn.functional.attention import scaled_dot_product_attention as scaled_dot_product_attention
from minigrad.nn.functional.distance import bilinear as bilinear
from minigrad.nn.functional.distance import cosine_similarity as cosine_similarity
from minigrad.nn.functional.distance import pairwise_distance as pairwise_distance
from minigrad.nn.functional.distance import pdist as pdist
from minigrad.nn.functional.dropouts import alpha_dropout as alpha_dropout
from minigrad.nn.functional.dropouts import dropout as dropout
from minigrad.nn.functional.dropouts import dropout1d as dropout1d
from minigrad.nn.functional.dropouts import dropout2d as dropout2d
from minigrad.nn.functional.dropouts import dropout3d as dropout3d
from minigrad.nn.functional.dropouts import feature_alpha_dropout as feature_alpha_dropout
from minigrad.nn.functional.grouped import grouped_mm as grouped_mm
from minigrad.nn.functional.indices import adaptive_max_pool1d_with_indices as adaptive_max_pool1d_with_indices
from minigrad.nn.functional.indices import adaptive_max_pool2d_with_indices as adaptive_max_pool2d_with_indices
from minigrad.nn.functional.indices import adaptive_max_pool3d_with_indices as adaptive_max_pool3d_with_indices
from minigrad.nn.functional.indices import conv_tbc as conv_tbc
from minigrad.nn.functional.indices import fractional_max_pool2d_with_indices as fractional_max_pool2d_with_indices
from minigrad.nn.functional.indices import fractional_max_pool3d_with_indices as fractional_max_pool3d_with_indices
from minigrad.nn.functional.indices import max_pool1d_with_indices as max_pool1d_with_indices
from minigrad.nn.functional.indices import max_pool2d_with_indices as max_pool2d_with_indices
from minigrad.nn.functional.indices import max_pool3d_with_indices as max_pool3d_with_indices
from minigrad.nn.functional.losses import binary_cross_entropy as binary_cross_entropy
from minigrad.nn.functional.losses import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from minigrad.nn.functional.losses import cosine_embedding_loss as cosine_embedding_loss
from minigrad.nn.functional.losses import cross_entropy as cross_entropy
from minigrad.nn.functional.losses import ctc_loss as ctc_loss
from minigrad.nn.functional.losses import gaussian_nll_loss as gaussian_nll_loss
from minigrad.nn.functional.losses import hinge_embedding_loss as hinge_embedding_loss
from minigrad.nn.functional.losses import huber_loss as huber_loss
from minigrad.nn.functional.losses import kl_div as kl_div
from minigrad.nn.functional.losses import l1_loss as l1_loss
from minigrad.nn.functional.losses import linear_cross_entropy as linear_cross_entropy
from minigrad.nn.functional.losses import margin_ranking_loss as margin_ranking_loss
from minigrad.nn.functional.losses import mse_loss as mse_loss
from minigrad.nn.functional.losses import multi_margin_loss as multi_margin_loss
from minigrad.nn.functional.losses import multilabel_margin_loss as multilabel_margin_loss
from minigrad.nn.functional.losses import multilabel_soft_margin_loss as multilabel_soft_margin_loss
from minigrad.nn.functional.losses import nll_loss as nll_loss
from minigrad.nn.functional.losses import poisson_nll_loss as poisson_nll_loss
from minigrad.nn.functional.losses import smooth_l1_loss as smooth_l1_loss
from minigrad.nn.functional.losses import soft_margin_loss as soft_margin_loss
from minigrad.nn.functional.losses import triplet_margin_loss as triplet_margin_loss
from minigrad.nn.functional.losses import triplet_margin_with_distance_loss as triplet_margin_with_distance_loss
from minigrad.nn.functional.resampling import affine_grid as affine_grid
from minigrad.nn.functional.resampling import channel_shuffle as channel_shuffle
from minigrad.nn.functional.resampling import grid_sample as grid_sample
from minigrad.nn.functional.resampling import interpolate as interpolate
from minigrad.nn.functional.resampling import native_channel_shuffle as native_channel_shuffle
from minigrad.nn.functional.resampling import pixel_shuffle as pixel_shuffle
from minigrad.nn.functional.resampling import pixel_unshuffle as pixel_unshuffle
from minigrad.nn.functional.resampling import upsample as upsample
from minigrad.nn.functional.resampling import upsample_bilinear as upsample_bilinear
from minigrad.nn.functional.resampling import upsample_nearest as upsample_nearest
from minigrad.ops.neural.activation import glu as glu
from minigrad.ops.neural.activation import prelu as prelu
from minigrad.ops.neural.activation import softsign as softsign
from minigrad.ops.neural.convolution import conv1d as conv1d
from minigrad.ops.neural.convolution import conv2d as conv2d
from minigrad.ops.neural.convolution import conv3d as conv3d
from minigrad.ops.neural.convolution import conv_transpose1d as conv_transpose1d
from minigrad.ops.neural.convolution import conv_transpose2d as conv_transpose2d
from minigrad.ops.neural.convolution import conv_transpose3d as conv_transpose3d
from minigrad.ops.neural.convolution import fold as fold
from minigrad.ops.neural.convolution import unfold as unfold
from minigrad.ops.neural.embedding import embedding as embedding
from minigrad.ops.neural.embedding import embedding_bag as embedding_bag
from minigrad.ops.neural.embedding import one_hot as one_hot
from minigrad.ops.neural.normalization import batch_norm as batch_norm
from minigrad.ops.neural.normalization import group_norm as group_norm
from minigrad.ops.neural.normalization import instance_norm as instance_norm
from minigrad.ops.neural.normalization import layer_norm as layer_norm
from minigrad.ops.neural.normalization import local_response_norm as local_response_norm
from minigrad.ops.neural.normalization import normalize as normalize
from minigrad.ops.neural.normalization import rms_norm as rms_norm
from minigrad.ops.neural.padding import pad as pad
from minigrad.ops.neural.pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from minigrad.ops.neural.pooling import adaptive_avg_pool2d as adaptive_avg_pool2d
from minigrad.ops.neural.pooling import adaptive_avg_pool3d as adaptive_avg_pool3d
from minigrad.ops.neural.pooling import adaptive_max_pool1d as adaptive_max_pool1d
from minigrad.ops.neural.pooling import adaptive_max_pool2d as adaptive_max_pool2d
from minigrad.ops.neural.pooling import adaptive_max_pool3d as adaptive_max_pool3d
from minigrad.ops.neural.pooling import avg_pool1d as avg_pool1d
from minigrad.ops.neural.pooling import avg_pool2d as avg_pool2d
from minigrad.ops.neural.pooling import avg_pool3d as avg_pool3d
from minigrad.ops.neural.pooling import fractional_max_pool2d as fractional_max_pool2d
from minigrad.ops.neural.pooling import fractional_max_pool3d as fractional_max_pool3d
from minigrad.ops.neural.pooling import lp_pool1d as lp_pool1d
from minigrad.ops.neural.pooling import lp_pool2d as lp_pool2d
from minigrad.ops.neural.pooling import lp_pool3d as lp_pool3d
from minigrad.ops.neural.pooling import max_pool1d as max_pool1d
from minigrad.ops.neural.pooling import max_pool2d as max_pool2d
from minigrad.ops.neural.pooling import max_pool3d as max_pool3d
from minigrad.ops.neural.pooling import max_unpool1d as max_unpool1d
from minigrad.ops.neural.pooling import max_unpool2d as max_unpool2d
from minigrad.ops.neural.pooling import max_unpool3d as max_unpool3d
from minigrad.ops.signatures import celu_ as celu_
from minigrad.ops.signatures import elu_ as elu_
from minigrad.ops.signatures import gelu as gelu
from minigrad.ops.signatures import hardshrink as hardshrink
from minigrad.ops.signatures import hardtanh_ as hardtanh_
from minigrad.ops.signatures import leaky_relu_ as leaky_relu_
from minigrad.ops.signatures import linear as linear
from minigrad.ops.signatures import logsigmoid as logsigmoid
from minigrad.ops.signatures import relu_ as relu_
from minigrad.ops.signatures import selu_ as selu_
from minigrad.ops.signatures import sigmoid as sigmoid
from minigrad.ops.signatures import softplus as softplus
from minigrad.ops.signatures import softshrink as softshrink
from minigrad.ops.signatures import tanh as tanh
from minigrad.ops.signatures import tanhshrink as tanhshrink
from minigrad.ops.signatures import threshold_ as threshold_


__all__ = ["adaptive_avg_pool1d", "adaptive_avg_pool2d", "adaptive_avg_pool3d", "adaptive_max_pool1d",
           "adaptive_max_pool1d_with_indices", "adaptive_max_pool2d", "adaptive_max_pool2d_with_indices", "adaptive_max_pool3d",
           "adaptive_max_pool3d_with_indices", "affine_grid", "alpha_dropout", "avg_pool1d", "avg_pool2d", "avg_pool3d",
           "batch_norm", "bilinear", "binary_cross_entropy", "binary_cross_entropy_with_logits", "celu", "celu_",
           "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_tbc", "conv_transpose1d", "conv_transpose2d",
           "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity", "cross_entropy", "ctc_loss", "dropout", "dropout1d",
           "dropout2d", "dropout3d", "elu", "elu_", "embedding", "embedding_bag", "feature_alpha_dropout", "fold",
           "fractional_max_pool2d", "fractional_max_pool2d_with_indices", "fractional_max_pool3d",
           "fractional_max_pool3d_with_indices", "gaussian_nll_loss", "gelu", "glu", "grid_sample", "group_norm", "grouped_mm",
           "gumbel_softmax", "hardshrink", "hardsigmoid", "hardswish", "hardtanh", "hardtanh_", "hinge_embedding_loss",
           "huber_loss", "instance_norm", "interpolate", "kl_div", "l1_loss", "layer_norm", "leaky_relu", "leaky_relu_",
           "linear", "linear_cross_entropy", "local_response_norm", "log_softmax", "logsigmoid", "lp_pool1d", "lp_pool2d",
           "lp_pool3d", "margin_ranking_loss", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool2d_with_indices",
           "max_pool3d", "max_pool3d_with_indices", "max_unpool1d", "max_unpool2d", "max_unpool3d", "mish", "mse_loss",
           "multi_head_attention_forward", "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
           "native_channel_shuffle", "nll_loss", "normalize", "one_hot", "pad", "pairwise_distance", "pdist", "pixel_shuffle",
           "pixel_unshuffle", "poisson_nll_loss", "prelu", "relu", "relu6", "relu_", "rms_norm", "rrelu", "rrelu_",
           "scaled_dot_product_attention", "selu", "selu_", "sigmoid", "silu", "smooth_l1_loss", "soft_margin_loss", "softmax",
           "softmin", "softplus", "softshrink", "softsign", "tanh", "tanhshrink", "threshold", "threshold_",
           "triplet_margin_loss", "triplet_margin_with_distance_loss", "unfold", "upsample", "upsample_bilinear",
           "upsample_nearest"]
