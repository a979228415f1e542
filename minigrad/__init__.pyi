"""The names of ``minigrad``, for type checkers; made by ``python -m tests.typing.signatures``."""

from minigrad import accelerator as accelerator
from minigrad import amp as amp
from minigrad import autograd as autograd
from minigrad import backends as backends
from minigrad import compiler as compiler
from minigrad import cpu as cpu
from minigrad import cuda as cuda
from minigrad import datasets as datasets
from minigrad import demo as demo
from minigrad import distributed as distributed
from minigrad import distributions as distributions
from minigrad import errors as errors
from minigrad import fft as fft
from minigrad import func as func
from minigrad import futures as futures
from minigrad import fx as fx
from minigrad import hub as hub
from minigrad import jit as jit
from minigrad import library as library
from minigrad import linalg as linalg
from minigrad import masked as masked
from minigrad import multiprocessing as multiprocessing
from minigrad import nn as nn
from minigrad import onnx as onnx
from minigrad import ops as ops
from minigrad import optim as optim
from minigrad import overrides as overrides
from minigrad import profiler as profiler
from minigrad import quasirandom as quasirandom
from minigrad import random as random
from minigrad import recording as recording
from minigrad import return_types as return_types
from minigrad import safetensors as safetensors
from minigrad import serialization as serialization
from minigrad import signal as signal
from minigrad import special as special
from minigrad import testing as testing
from minigrad import torch_version as torch_version
from minigrad import types as types
from minigrad import utils as utils
from minigrad import version as version
from minigrad import vision as vision
from minigrad import viz as viz
from minigrad._paths import as_torch as as_torch
from minigrad._settings import are_deterministic_algorithms_enabled as are_deterministic_algorithms_enabled
from minigrad._settings import get_deterministic_debug_mode as get_deterministic_debug_mode
from minigrad._settings import get_num_interop_threads as get_num_interop_threads
from minigrad._settings import get_num_threads as get_num_threads
from minigrad._settings import is_deterministic_algorithms_warn_only_enabled as is_deterministic_algorithms_warn_only_enabled
from minigrad._settings import is_warn_always_enabled as is_warn_always_enabled
from minigrad._settings import set_deterministic_debug_mode as set_deterministic_debug_mode
from minigrad._settings import set_flush_denormal as set_flush_denormal
from minigrad._settings import set_num_interop_threads as set_num_interop_threads
from minigrad._settings import set_num_threads as set_num_threads
from minigrad._settings import set_warn_always as set_warn_always
from minigrad._settings import use_deterministic_algorithms as use_deterministic_algorithms
from minigrad._tensor.predicates import can_cast as can_cast
from minigrad._tensor.predicates import detach as detach
from minigrad._tensor.predicates import detach_ as detach_
from minigrad._tensor.predicates import get_device as get_device
from minigrad._tensor.predicates import is_complex as is_complex
from minigrad._tensor.predicates import is_conj as is_conj
from minigrad._tensor.predicates import is_floating_point as is_floating_point
from minigrad._tensor.predicates import is_inference as is_inference
from minigrad._tensor.predicates import is_neg as is_neg
from minigrad._tensor.predicates import is_nonzero as is_nonzero
from minigrad._tensor.predicates import is_same_size as is_same_size
from minigrad._tensor.predicates import is_signed as is_signed
from minigrad._tensor.predicates import is_tensor as is_tensor
from minigrad._tensor.predicates import numel as numel
from minigrad._tensor.predicates import resolve_conj as resolve_conj
from minigrad._tensor.predicates import resolve_neg as resolve_neg
from minigrad._tensor.predicates import result_type as result_type
from minigrad._tensor.predicates import zero_ as zero_
from minigrad._tensor.printing import get_printoptions as get_printoptions
from minigrad._tensor.printing import printoptions as printoptions
from minigrad._tensor.printing import set_printoptions as set_printoptions
from minigrad._tensor.storage import TypedStorage as TypedStorage
from minigrad._tensor.storage import UntypedStorage as UntypedStorage
from minigrad._tensor.storage import is_storage as is_storage
from minigrad._tensor.tensor import Tensor as Tensor
from minigrad._tensor.typed import BFloat16Tensor as BFloat16Tensor
from minigrad._tensor.typed import BoolTensor as BoolTensor
from minigrad._tensor.typed import ByteTensor as ByteTensor
from minigrad._tensor.typed import CharTensor as CharTensor
from minigrad._tensor.typed import DoubleTensor as DoubleTensor
from minigrad._tensor.typed import FloatTensor as FloatTensor
from minigrad._tensor.typed import HalfTensor as HalfTensor
from minigrad._tensor.typed import IntTensor as IntTensor
from minigrad._tensor.typed import LongTensor as LongTensor
from minigrad._tensor.typed import ShortTensor as ShortTensor
from minigrad._tensor.typed import set_default_tensor_type as set_default_tensor_type
from minigrad._types.device import Device as device
from minigrad._types.device import get_default_device as get_default_device
from minigrad._types.device import set_default_device as set_default_device
from minigrad._types.dtypes import _default as float
from minigrad._types.dtypes import bfloat16 as bfloat16
from minigrad._types.dtypes import bool_ as bool
from minigrad._types.dtypes import complex128 as cdouble
from minigrad._types.dtypes import complex128 as complex128
from minigrad._types.dtypes import complex64 as cfloat
from minigrad._types.dtypes import complex64 as complex64
from minigrad._types.dtypes import dtype as dtype
from minigrad._types.dtypes import finfo as finfo
from minigrad._types.dtypes import float16 as float16
from minigrad._types.dtypes import float16 as half
from minigrad._types.dtypes import float32 as float32
from minigrad._types.dtypes import float64 as double
from minigrad._types.dtypes import float64 as float64
from minigrad._types.dtypes import get_default_dtype as get_default_dtype
from minigrad._types.dtypes import iinfo as iinfo
from minigrad._types.dtypes import int16 as int16
from minigrad._types.dtypes import int16 as short
from minigrad._types.dtypes import int32 as int
from minigrad._types.dtypes import int32 as int32
from minigrad._types.dtypes import int64 as int64
from minigrad._types.dtypes import int64 as long
from minigrad._types.dtypes import int8 as int8
from minigrad._types.dtypes import promote_types as promote_types
from minigrad._types.dtypes import set_default_dtype as set_default_dtype
from minigrad._types.dtypes import uint16 as uint16
from minigrad._types.dtypes import uint32 as uint32
from minigrad._types.dtypes import uint64 as uint64
from minigrad._types.dtypes import uint8 as uint8
from minigrad._types.layouts import channels_last as channels_last
from minigrad._types.layouts import channels_last_3d as channels_last_3d
from minigrad._types.layouts import contiguous_format as contiguous_format
from minigrad._types.layouts import layout as layout
from minigrad._types.layouts import legacy_contiguous_format as legacy_contiguous_format
from minigrad._types.layouts import memory_format as memory_format
from minigrad._types.layouts import preserve_format as preserve_format
from minigrad._types.layouts import strided as strided
from minigrad._types.size import Size as Size
from minigrad.accelerator import get_device_module as get_device_module
from minigrad.amp import GradScaler as GradScaler
from minigrad.amp import autocast as autocast
from minigrad.amp import is_autocast_enabled as is_autocast_enabled
from minigrad.autograd.anomaly_mode import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from minigrad.autograd.anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
from minigrad.autograd.grad_mode import enable_grad as enable_grad
from minigrad.autograd.grad_mode import inference_mode as inference_mode
from minigrad.autograd.grad_mode import is_grad_enabled as is_grad_enabled
from minigrad.autograd.grad_mode import is_inference_mode_enabled as is_inference_mode_enabled
from minigrad.autograd.grad_mode import no_grad as no_grad
from minigrad.autograd.grad_mode import set_grad_enabled as set_grad_enabled
from minigrad.backends import get_float32_matmul_precision as get_float32_matmul_precision
from minigrad.backends import set_float32_matmul_precision as set_float32_matmul_precision
from minigrad.compiler import compile as compile
from minigrad.func._vmap import vmap as vmap
from minigrad.futures import Future as Future
from minigrad.nn.functional.activations import rrelu as rrelu
from minigrad.nn.functional.activations import rrelu_ as rrelu_
from minigrad.nn.functional.distance import bilinear as bilinear
from minigrad.nn.functional.distance import cosine_similarity as cosine_similarity
from minigrad.nn.functional.distance import pairwise_distance as pairwise_distance
from minigrad.nn.functional.distance import pdist as pdist
from minigrad.nn.functional.indices import conv_tbc as conv_tbc
from minigrad.nn.functional.indices import max_pool1d_with_indices as max_pool1d_with_indices
from minigrad.nn.functional.losses import binary_cross_entropy_with_logits as binary_cross_entropy_with_logits
from minigrad.nn.functional.losses import cosine_embedding_loss as cosine_embedding_loss
from minigrad.nn.functional.losses import ctc_loss as ctc_loss
from minigrad.nn.functional.losses import hinge_embedding_loss as hinge_embedding_loss
from minigrad.nn.functional.losses import kl_div as kl_div
from minigrad.nn.functional.losses import margin_ranking_loss as margin_ranking_loss
from minigrad.nn.functional.losses import poisson_nll_loss as poisson_nll_loss
from minigrad.nn.functional.losses import triplet_margin_loss as triplet_margin_loss
from minigrad.nn.functional.resampling import channel_shuffle as channel_shuffle
from minigrad.nn.functional.resampling import native_channel_shuffle as native_channel_shuffle
from minigrad.nn.functional.resampling import pixel_shuffle as pixel_shuffle
from minigrad.nn.functional.resampling import pixel_unshuffle as pixel_unshuffle
from minigrad.nn.functional.samplers import grid_sampler as grid_sampler
from minigrad.nn.functional.samplers import grid_sampler_2d as grid_sampler_2d
from minigrad.nn.functional.samplers import grid_sampler_3d as grid_sampler_3d
from minigrad.nn.functional.switched_dropouts import alpha_dropout as alpha_dropout
from minigrad.nn.functional.switched_dropouts import alpha_dropout_ as alpha_dropout_
from minigrad.nn.functional.switched_dropouts import dropout as dropout
from minigrad.nn.functional.switched_dropouts import dropout_ as dropout_
from minigrad.nn.functional.switched_dropouts import feature_alpha_dropout as feature_alpha_dropout
from minigrad.nn.functional.switched_dropouts import feature_alpha_dropout_ as feature_alpha_dropout_
from minigrad.nn.functional.switched_dropouts import feature_dropout as feature_dropout
from minigrad.nn.functional.switched_dropouts import feature_dropout_ as feature_dropout_
from minigrad.ops.copying import detach_copy as detach_copy
from minigrad.ops.copying import fill as fill
from minigrad.ops.creation import arange as arange
from minigrad.ops.creation import as_tensor as as_tensor
from minigrad.ops.creation import asarray as asarray
from minigrad.ops.creation import empty as empty
from minigrad.ops.creation import empty_like as empty_like
from minigrad.ops.creation import empty_permuted as empty_permuted
from minigrad.ops.creation import empty_strided as empty_strided
from minigrad.ops.creation import eye as eye
from minigrad.ops.creation import from_dlpack as from_dlpack
from minigrad.ops.creation import from_file as from_file
from minigrad.ops.creation import from_numpy as from_numpy
from minigrad.ops.creation import frombuffer as frombuffer
from minigrad.ops.creation import full as full
from minigrad.ops.creation import full_like as full_like
from minigrad.ops.creation import linspace as linspace
from minigrad.ops.creation import logspace as logspace
from minigrad.ops.creation import ones as ones
from minigrad.ops.creation import ones_like as ones_like
from minigrad.ops.creation import range as range
from minigrad.ops.creation import scalar_tensor as scalar_tensor
from minigrad.ops.creation import tensor as tensor
from minigrad.ops.creation import to_dlpack as to_dlpack
from minigrad.ops.creation import tril_indices as tril_indices
from minigrad.ops.creation import triu_indices as triu_indices
from minigrad.ops.creation import zeros as zeros
from minigrad.ops.creation import zeros_like as zeros_like
from minigrad.ops.indexing.as_strided import as_strided as as_strided
from minigrad.ops.indexing.as_strided import as_strided_scatter as as_strided_scatter
from minigrad.ops.indexing.indexing import index_add as index_add
from minigrad.ops.indexing.indexing import index_copy as index_copy
from minigrad.ops.indexing.indexing import index_fill as index_fill
from minigrad.ops.indexing.indexing import index_put as index_put
from minigrad.ops.indexing.indexing import index_select as index_select
from minigrad.ops.indexing.scatter import gather as gather
from minigrad.ops.indexing.scatter import index_reduce as index_reduce
from minigrad.ops.indexing.scatter import masked_fill as masked_fill
from minigrad.ops.indexing.scatter import masked_select as masked_select
from minigrad.ops.indexing.scatter import scatter as scatter
from minigrad.ops.indexing.scatter import scatter_add as scatter_add
from minigrad.ops.indexing.scatter import scatter_reduce as scatter_reduce
from minigrad.ops.indexing.take import argwhere as argwhere
from minigrad.ops.indexing.take import combinations as combinations
from minigrad.ops.indexing.take import isin as isin
from minigrad.ops.indexing.take import nonzero as nonzero
from minigrad.ops.indexing.take import nonzero_static as nonzero_static
from minigrad.ops.indexing.take import put as put
from minigrad.ops.indexing.take import repeat_interleave as repeat_interleave
from minigrad.ops.indexing.take import take as take
from minigrad.ops.indexing.take import take_along_dim as take_along_dim
from minigrad.ops.indexing.take import unravel_index as unravel_index
from minigrad.ops.linear_algebra.decomposition import cholesky as cholesky
from minigrad.ops.linear_algebra.decomposition import cholesky_inverse as cholesky_inverse
from minigrad.ops.linear_algebra.decomposition import cholesky_solve as cholesky_solve
from minigrad.ops.linear_algebra.decomposition import logdet as logdet
from minigrad.ops.linear_algebra.decomposition import lu as lu
from minigrad.ops.linear_algebra.decomposition import lu_solve as lu_solve
from minigrad.ops.linear_algebra.decomposition import lu_unpack as lu_unpack
from minigrad.ops.linear_algebra.decomposition import matrix_power as matrix_power
from minigrad.ops.linear_algebra.decomposition import orgqr as orgqr
from minigrad.ops.linear_algebra.decomposition import ormqr as ormqr
from minigrad.ops.linear_algebra.decomposition import pinverse as pinverse
from minigrad.ops.linear_algebra.decomposition import qr as qr
from minigrad.ops.linear_algebra.decomposition import svd as svd
from minigrad.ops.linear_algebra.decomposition import triangular_solve as triangular_solve
from minigrad.ops.linear_algebra.lowrank import lobpcg as lobpcg
from minigrad.ops.linear_algebra.lowrank import pca_lowrank as pca_lowrank
from minigrad.ops.linear_algebra.lowrank import svd_lowrank as svd_lowrank
from minigrad.ops.linear_algebra.products import cdist as cdist
from minigrad.ops.linear_algebra.products import chain_matmul as chain_matmul
from minigrad.ops.linear_algebra.products import cross as cross
from minigrad.ops.linear_algebra.products import einsum as einsum
from minigrad.ops.linear_algebra.products import inner as inner
from minigrad.ops.linear_algebra.products import kron as kron
from minigrad.ops.linear_algebra.products import tensordot as tensordot
from minigrad.ops.linear_algebra.products import vander as vander
from minigrad.ops.neural.activation import celu as celu
from minigrad.ops.neural.activation import prelu as prelu
from minigrad.ops.neural.activation import selu as selu
from minigrad.ops.neural.convolution import conv1d as conv1d
from minigrad.ops.neural.convolution import conv2d as conv2d
from minigrad.ops.neural.convolution import conv3d as conv3d
from minigrad.ops.neural.convolution import conv_transpose1d as conv_transpose1d
from minigrad.ops.neural.convolution import conv_transpose2d as conv_transpose2d
from minigrad.ops.neural.convolution import conv_transpose3d as conv_transpose3d
from minigrad.ops.neural.embedding import embedding as embedding
from minigrad.ops.neural.embedding import embedding_bag as embedding_bag
from minigrad.ops.neural.normalization import batch_norm as batch_norm
from minigrad.ops.neural.normalization import group_norm as group_norm
from minigrad.ops.neural.normalization import instance_norm as instance_norm
from minigrad.ops.neural.normalization import layer_norm as layer_norm
from minigrad.ops.neural.normalization import native_batch_norm as native_batch_norm
from minigrad.ops.neural.normalization import native_group_norm as native_group_norm
from minigrad.ops.neural.normalization import native_layer_norm as native_layer_norm
from minigrad.ops.neural.normalization import rms_norm as rms_norm
from minigrad.ops.neural.pooling import adaptive_avg_pool1d as adaptive_avg_pool1d
from minigrad.ops.neural.pooling import adaptive_max_pool1d as adaptive_max_pool1d
from minigrad.ops.neural.pooling import avg_pool1d as avg_pool1d
from minigrad.ops.neural.pooling import max_pool1d as max_pool1d
from minigrad.ops.neural.pooling import max_pool2d as max_pool2d
from minigrad.ops.neural.pooling import max_pool3d as max_pool3d
from minigrad.ops.pointwise.arithmetic import conj as conj
from minigrad.ops.pointwise.arithmetic import conj_physical as conj_physical
from minigrad.ops.pointwise.arithmetic import div as div
from minigrad.ops.pointwise.arithmetic import divide as divide
from minigrad.ops.pointwise.arithmetic import positive as positive
from minigrad.ops.pointwise.arithmetic import real as real
from minigrad.ops.pointwise.comparison import allclose as allclose
from minigrad.ops.pointwise.comparison import clamp as clamp
from minigrad.ops.pointwise.comparison import clamp_max as clamp_max
from minigrad.ops.pointwise.comparison import clamp_min as clamp_min
from minigrad.ops.pointwise.comparison import clip as clip
from minigrad.ops.pointwise.comparison import equal as equal
from minigrad.ops.pointwise.comparison import where as where
from minigrad.ops.pointwise.elementary import float_power as float_power
from minigrad.ops.pointwise.elementary import ldexp as ldexp
from minigrad.ops.pointwise.elementary import pow as pow
from minigrad.ops.pointwise.special import mvlgamma as mvlgamma
from minigrad.ops.pointwise.special import polygamma as polygamma
from minigrad.ops.reducing.ordering import bucketize as bucketize
from minigrad.ops.reducing.ordering import msort as msort
from minigrad.ops.reducing.ordering import searchsorted as searchsorted
from minigrad.ops.reducing.ordering import unique as unique
from minigrad.ops.reducing.ordering import unique_consecutive as unique_consecutive
from minigrad.ops.reducing.reduction import hash_tensor as hash_tensor
from minigrad.ops.sampling import bernoulli as bernoulli
from minigrad.ops.sampling import binomial as binomial
from minigrad.ops.sampling import multinomial as multinomial
from minigrad.ops.sampling import normal as normal
from minigrad.ops.sampling import poisson as poisson
from minigrad.ops.sampling import rand as rand
from minigrad.ops.sampling import rand_like as rand_like
from minigrad.ops.sampling import randint as randint
from minigrad.ops.sampling import randint_like as randint_like
from minigrad.ops.sampling import randn as randn
from minigrad.ops.sampling import randn_like as randn_like
from minigrad.ops.sampling import randperm as randperm
from minigrad.ops.shaping.shape import adjoint as adjoint
from minigrad.ops.shaping.shape import atleast_1d as atleast_1d
from minigrad.ops.shaping.shape import atleast_2d as atleast_2d
from minigrad.ops.shaping.shape import atleast_3d as atleast_3d
from minigrad.ops.shaping.shape import broadcast_shapes as broadcast_shapes
from minigrad.ops.shaping.shape import broadcast_tensors as broadcast_tensors
from minigrad.ops.shaping.shape import broadcast_to as broadcast_to
from minigrad.ops.shaping.shape import flatten as flatten
from minigrad.ops.shaping.shape import fliplr as fliplr
from minigrad.ops.shaping.shape import flipud as flipud
from minigrad.ops.shaping.shape import meshgrid as meshgrid
from minigrad.ops.shaping.shape import moveaxis as moveaxis
from minigrad.ops.shaping.shape import movedim as movedim
from minigrad.ops.shaping.shape import ravel as ravel
from minigrad.ops.shaping.shape import rot90 as rot90
from minigrad.ops.shaping.shape import swapaxes as swapaxes
from minigrad.ops.shaping.shape import swapdims as swapdims
from minigrad.ops.shaping.shape import t as t
from minigrad.ops.shaping.shape import tile as tile
from minigrad.ops.shaping.shape import unflatten as unflatten
from minigrad.ops.shaping.shape import view_as as view_as
from minigrad.ops.shaping.slicing import alias_copy as alias_copy
from minigrad.ops.shaping.slicing import block_diag as block_diag
from minigrad.ops.shaping.slicing import cartesian_prod as cartesian_prod
from minigrad.ops.shaping.slicing import chunk as chunk
from minigrad.ops.shaping.slicing import column_stack as column_stack
from minigrad.ops.shaping.slicing import concat as concat
from minigrad.ops.shaping.slicing import concatenate as concatenate
from minigrad.ops.shaping.slicing import diag as diag
from minigrad.ops.shaping.slicing import diag_embed as diag_embed
from minigrad.ops.shaping.slicing import diagflat as diagflat
from minigrad.ops.shaping.slicing import diagonal_scatter as diagonal_scatter
from minigrad.ops.shaping.slicing import dsplit as dsplit
from minigrad.ops.shaping.slicing import dstack as dstack
from minigrad.ops.shaping.slicing import hsplit as hsplit
from minigrad.ops.shaping.slicing import hstack as hstack
from minigrad.ops.shaping.slicing import narrow as narrow
from minigrad.ops.shaping.slicing import row_stack as row_stack
from minigrad.ops.shaping.slicing import select_scatter as select_scatter
from minigrad.ops.shaping.slicing import slice_copy as slice_copy
from minigrad.ops.shaping.slicing import slice_scatter as slice_scatter
from minigrad.ops.shaping.slicing import split as split
from minigrad.ops.shaping.slicing import tensor_split as tensor_split
from minigrad.ops.shaping.slicing import unsafe_chunk as unsafe_chunk
from minigrad.ops.shaping.slicing import unsafe_split as unsafe_split
from minigrad.ops.shaping.slicing import vsplit as vsplit
from minigrad.ops.shaping.slicing import vstack as vstack
from minigrad.ops.signatures import abs as abs
from minigrad.ops.signatures import abs as absolute
from minigrad.ops.signatures import acos as acos
from minigrad.ops.signatures import acos as arccos
from minigrad.ops.signatures import acosh as acosh
from minigrad.ops.signatures import acosh as arccosh
from minigrad.ops.signatures import add as add
from minigrad.ops.signatures import addbmm as addbmm
from minigrad.ops.signatures import addcdiv as addcdiv
from minigrad.ops.signatures import addcmul as addcmul
from minigrad.ops.signatures import addmm as addmm
from minigrad.ops.signatures import addmv as addmv
from minigrad.ops.signatures import addr as addr
from minigrad.ops.signatures import all as all
from minigrad.ops.signatures import amax as amax
from minigrad.ops.signatures import amin as amin
from minigrad.ops.signatures import aminmax as aminmax
from minigrad.ops.signatures import angle as angle
from minigrad.ops.signatures import any as any
from minigrad.ops.signatures import argmax as argmax
from minigrad.ops.signatures import argmin as argmin
from minigrad.ops.signatures import argsort as argsort
from minigrad.ops.signatures import as_strided_copy as as_strided_copy
from minigrad.ops.signatures import asin as arcsin
from minigrad.ops.signatures import asin as asin
from minigrad.ops.signatures import asinh as arcsinh
from minigrad.ops.signatures import asinh as asinh
from minigrad.ops.signatures import atan as arctan
from minigrad.ops.signatures import atan as atan
from minigrad.ops.signatures import atan2 as arctan2
from minigrad.ops.signatures import atan2 as atan2
from minigrad.ops.signatures import atanh as arctanh
from minigrad.ops.signatures import atanh as atanh
from minigrad.ops.signatures import baddbmm as baddbmm
from minigrad.ops.signatures import bincount as bincount
from minigrad.ops.signatures import bitwise_and as bitwise_and
from minigrad.ops.signatures import bitwise_left_shift as bitwise_left_shift
from minigrad.ops.signatures import bitwise_not as bitwise_not
from minigrad.ops.signatures import bitwise_or as bitwise_or
from minigrad.ops.signatures import bitwise_right_shift as bitwise_right_shift
from minigrad.ops.signatures import bitwise_xor as bitwise_xor
from minigrad.ops.signatures import bmm as bmm
from minigrad.ops.signatures import cat as cat
from minigrad.ops.signatures import ceil as ceil
from minigrad.ops.signatures import celu_ as celu_
from minigrad.ops.signatures import clone as clone
from minigrad.ops.signatures import complex as complex
from minigrad.ops.signatures import constant_pad_nd as constant_pad_nd
from minigrad.ops.signatures import copysign as copysign
from minigrad.ops.signatures import cos as cos
from minigrad.ops.signatures import cosh as cosh
from minigrad.ops.signatures import count_nonzero as count_nonzero
from minigrad.ops.signatures import cummax as cummax
from minigrad.ops.signatures import cummin as cummin
from minigrad.ops.signatures import cumprod as cumprod
from minigrad.ops.signatures import cumsum as cumsum
from minigrad.ops.signatures import deg2rad as deg2rad
from minigrad.ops.signatures import diagonal as diagonal
from minigrad.ops.signatures import diagonal as diagonal_copy
from minigrad.ops.signatures import diff as diff
from minigrad.ops.signatures import digamma as digamma
from minigrad.ops.signatures import dot as dot
from minigrad.ops.signatures import eq as eq
from minigrad.ops.signatures import erf as erf
from minigrad.ops.signatures import erfc as erfc
from minigrad.ops.signatures import erfinv as erfinv
from minigrad.ops.signatures import exp as exp
from minigrad.ops.signatures import exp2 as exp2
from minigrad.ops.signatures import expand as expand_copy
from minigrad.ops.signatures import expm1 as expm1
from minigrad.ops.signatures import flip as flip
from minigrad.ops.signatures import floor as floor
from minigrad.ops.signatures import floor_divide as floor_divide
from minigrad.ops.signatures import fmax as fmax
from minigrad.ops.signatures import fmin as fmin
from minigrad.ops.signatures import fmod as fmod
from minigrad.ops.signatures import frac as frac
from minigrad.ops.signatures import frexp as frexp
from minigrad.ops.signatures import gcd as gcd
from minigrad.ops.signatures import ge as ge
from minigrad.ops.signatures import ge as greater_equal
from minigrad.ops.signatures import geqrf as geqrf
from minigrad.ops.signatures import gt as greater
from minigrad.ops.signatures import gt as gt
from minigrad.ops.signatures import hardshrink as hardshrink
from minigrad.ops.signatures import heaviside as heaviside
from minigrad.ops.signatures import histc as histc
from minigrad.ops.signatures import hypot as hypot
from minigrad.ops.signatures import i0 as i0
from minigrad.ops.signatures import igamma as igamma
from minigrad.ops.signatures import igammac as igammac
from minigrad.ops.signatures import imag as imag
from minigrad.ops.signatures import isclose as isclose
from minigrad.ops.signatures import isfinite as isfinite
from minigrad.ops.signatures import isinf as isinf
from minigrad.ops.signatures import isnan as isnan
from minigrad.ops.signatures import isneginf as isneginf
from minigrad.ops.signatures import isposinf as isposinf
from minigrad.ops.signatures import isreal as isreal
from minigrad.ops.signatures import kthvalue as kthvalue
from minigrad.ops.signatures import lcm as lcm
from minigrad.ops.signatures import le as le
from minigrad.ops.signatures import le as less_equal
from minigrad.ops.signatures import lerp as lerp
from minigrad.ops.signatures import lgamma as lgamma
from minigrad.ops.signatures import linalg_det as det
from minigrad.ops.signatures import linalg_inv as inverse
from minigrad.ops.signatures import linalg_slogdet as slogdet
from minigrad.ops.signatures import log as log
from minigrad.ops.signatures import log10 as log10
from minigrad.ops.signatures import log1p as log1p
from minigrad.ops.signatures import log2 as log2
from minigrad.ops.signatures import log_softmax as log_softmax
from minigrad.ops.signatures import logaddexp as logaddexp
from minigrad.ops.signatures import logaddexp2 as logaddexp2
from minigrad.ops.signatures import logcumsumexp as logcumsumexp
from minigrad.ops.signatures import logical_and as logical_and
from minigrad.ops.signatures import logical_not as logical_not
from minigrad.ops.signatures import logical_or as logical_or
from minigrad.ops.signatures import logical_xor as logical_xor
from minigrad.ops.signatures import logit as logit
from minigrad.ops.signatures import logsumexp as logsumexp
from minigrad.ops.signatures import lt as less
from minigrad.ops.signatures import lt as lt
from minigrad.ops.signatures import masked_scatter as masked_scatter
from minigrad.ops.signatures import matmul as matmul
from minigrad.ops.signatures import matrix_exp as matrix_exp
from minigrad.ops.signatures import max as max
from minigrad.ops.signatures import maximum as maximum
from minigrad.ops.signatures import mean as mean
from minigrad.ops.signatures import median as median
from minigrad.ops.signatures import min as min
from minigrad.ops.signatures import minimum as minimum
from minigrad.ops.signatures import mm as mm
from minigrad.ops.signatures import mode as mode
from minigrad.ops.signatures import mul as mul
from minigrad.ops.signatures import mul as multiply
from minigrad.ops.signatures import mv as mv
from minigrad.ops.signatures import nan_to_num as nan_to_num
from minigrad.ops.signatures import nanmean as nanmean
from minigrad.ops.signatures import nanmedian as nanmedian
from minigrad.ops.signatures import nanquantile as nanquantile
from minigrad.ops.signatures import nansum as nansum
from minigrad.ops.signatures import narrow_copy as narrow_copy
from minigrad.ops.signatures import ne as ne
from minigrad.ops.signatures import ne as not_equal
from minigrad.ops.signatures import neg as neg
from minigrad.ops.signatures import neg as negative
from minigrad.ops.signatures import nextafter as nextafter
from minigrad.ops.signatures import norm as norm
from minigrad.ops.signatures import outer as ger
from minigrad.ops.signatures import outer as outer
from minigrad.ops.signatures import permute as permute
from minigrad.ops.signatures import permute as permute_copy
from minigrad.ops.signatures import polar as polar
from minigrad.ops.signatures import prod as prod
from minigrad.ops.signatures import quantile as quantile
from minigrad.ops.signatures import rad2deg as rad2deg
from minigrad.ops.signatures import reciprocal as reciprocal
from minigrad.ops.signatures import relu as relu
from minigrad.ops.signatures import relu_ as relu_
from minigrad.ops.signatures import remainder as remainder
from minigrad.ops.signatures import reshape as reshape
from minigrad.ops.signatures import roll as roll
from minigrad.ops.signatures import round as round
from minigrad.ops.signatures import rsqrt as rsqrt
from minigrad.ops.signatures import rsub as rsub
from minigrad.ops.signatures import select as select
from minigrad.ops.signatures import select as select_copy
from minigrad.ops.signatures import selu_ as selu_
from minigrad.ops.signatures import sgn as sgn
from minigrad.ops.signatures import sigmoid as sigmoid
from minigrad.ops.signatures import sign as sign
from minigrad.ops.signatures import signbit as signbit
from minigrad.ops.signatures import sin as sin
from minigrad.ops.signatures import sinc as sinc
from minigrad.ops.signatures import sinh as sinh
from minigrad.ops.signatures import softmax as softmax
from minigrad.ops.signatures import sort as sort
from minigrad.ops.signatures import split_copy as split_copy
from minigrad.ops.signatures import split_with_sizes as split_with_sizes
from minigrad.ops.signatures import split_with_sizes as split_with_sizes_copy
from minigrad.ops.signatures import split_with_sizes as unsafe_split_with_sizes
from minigrad.ops.signatures import sqrt as sqrt
from minigrad.ops.signatures import square as square
from minigrad.ops.signatures import squeeze as squeeze
from minigrad.ops.signatures import squeeze as squeeze_copy
from minigrad.ops.signatures import stack as stack
from minigrad.ops.signatures import std as std
from minigrad.ops.signatures import std_mean as std_mean
from minigrad.ops.signatures import sub as sub
from minigrad.ops.signatures import sub as subtract
from minigrad.ops.signatures import sum as sum
from minigrad.ops.signatures import t_copy as t_copy
from minigrad.ops.signatures import tan as tan
from minigrad.ops.signatures import tanh as tanh
from minigrad.ops.signatures import threshold as threshold
from minigrad.ops.signatures import threshold_ as threshold_
from minigrad.ops.signatures import topk as topk
from minigrad.ops.signatures import trace as trace
from minigrad.ops.signatures import transpose as transpose
from minigrad.ops.signatures import transpose as transpose_copy
from minigrad.ops.signatures import tril as tril
from minigrad.ops.signatures import triu as triu
from minigrad.ops.signatures import true_divide as true_divide
from minigrad.ops.signatures import trunc as fix
from minigrad.ops.signatures import trunc as trunc
from minigrad.ops.signatures import unbind as unbind
from minigrad.ops.signatures import unbind as unbind_copy
from minigrad.ops.signatures import unfold as unfold_copy
from minigrad.ops.signatures import unsqueeze as unsqueeze
from minigrad.ops.signatures import unsqueeze as unsqueeze_copy
from minigrad.ops.signatures import var as var
from minigrad.ops.signatures import var_mean as var_mean
from minigrad.ops.signatures import vdot as vdot
from minigrad.ops.signatures import view_as_complex as view_as_complex
from minigrad.ops.signatures import view_as_complex as view_as_complex_copy
from minigrad.ops.signatures import view_as_real as view_as_real
from minigrad.ops.signatures import view_as_real as view_as_real_copy
from minigrad.ops.signatures import view_copy as view_copy
from minigrad.ops.signatures import xlogy as xlogy
from minigrad.ops.spectral.fourier import istft as istft
from minigrad.ops.spectral.fourier import stft as stft
from minigrad.ops.spectral.windows import bartlett_window as bartlett_window
from minigrad.ops.spectral.windows import blackman_window as blackman_window
from minigrad.ops.spectral.windows import hamming_window as hamming_window
from minigrad.ops.spectral.windows import hann_window as hann_window
from minigrad.ops.spectral.windows import kaiser_window as kaiser_window
from minigrad.ops.statistics import corrcoef as corrcoef
from minigrad.ops.statistics import cov as cov
from minigrad.ops.statistics import cumulative_trapezoid as cumulative_trapezoid
from minigrad.ops.statistics import dist as dist
from minigrad.ops.statistics import gradient as gradient
from minigrad.ops.statistics import histogram as histogram
from minigrad.ops.statistics import histogramdd as histogramdd
from minigrad.ops.statistics import renorm as renorm
from minigrad.ops.statistics import segment_reduce as segment_reduce
from minigrad.ops.statistics import trapezoid as trapezoid
from minigrad.ops.statistics import trapz as trapz
from minigrad.random import Generator as Generator
from minigrad.random import default_generator as default_generator
from minigrad.random import fork_rng as fork_rng
from minigrad.random import get_rng_state as get_rng_state
from minigrad.random import initial_seed as initial_seed
from minigrad.random import manual_seed as manual_seed
from minigrad.random import seed as seed
from minigrad.random import set_rng_state as set_rng_state
from minigrad.recording.hints import get_hints as get_hints
from minigrad.recording.hints import set_hints as set_hints
from minigrad.serialization.loading import load as load
from minigrad.serialization.saving import save as save
from minigrad.viz.summary import summary as summary
import builtins

e: builtins.float
inf: builtins.float
nan: builtins.float
newaxis: None
pi: builtins.float
__version__: builtins.str
abs_ = Tensor.abs_
absolute_ = Tensor.absolute_
acos_ = Tensor.acos_
acosh_ = Tensor.acosh_
add_ = Tensor.add_
addbmm_ = Tensor.addbmm_
addcdiv_ = Tensor.addcdiv_
addcmul_ = Tensor.addcmul_
addmm_ = Tensor.addmm_
addmv_ = Tensor.addmv_
addr_ = Tensor.addr_
apply_ = Tensor.apply_
arccos_ = Tensor.arccos_
arccosh_ = Tensor.arccosh_
arcsin_ = Tensor.arcsin_
arcsinh_ = Tensor.arcsinh_
arctan2_ = Tensor.arctan2_
arctan_ = Tensor.arctan_
arctanh_ = Tensor.arctanh_
as_strided_ = Tensor.as_strided_
asin_ = Tensor.asin_
asinh_ = Tensor.asinh_
atan2_ = Tensor.atan2_
atan_ = Tensor.atan_
atanh_ = Tensor.atanh_
baddbmm_ = Tensor.baddbmm_
bernoulli_ = Tensor.bernoulli_
bitwise_and_ = Tensor.bitwise_and_
bitwise_left_shift_ = Tensor.bitwise_left_shift_
bitwise_not_ = Tensor.bitwise_not_
bitwise_or_ = Tensor.bitwise_or_
bitwise_right_shift_ = Tensor.bitwise_right_shift_
bitwise_xor_ = Tensor.bitwise_xor_
cauchy_ = Tensor.cauchy_
ceil_ = Tensor.ceil_
clamp_ = Tensor.clamp_
clamp_max_ = Tensor.clamp_max_
clamp_min_ = Tensor.clamp_min_
clip_ = Tensor.clip_
conj_physical_ = Tensor.conj_physical_
copy_ = Tensor.copy_
copysign_ = Tensor.copysign_
cos_ = Tensor.cos_
cosh_ = Tensor.cosh_
cumprod_ = Tensor.cumprod_
cumsum_ = Tensor.cumsum_
deg2rad_ = Tensor.deg2rad_
digamma_ = Tensor.digamma_
div_ = Tensor.div_
divide_ = Tensor.divide_
eq_ = Tensor.eq_
erf_ = Tensor.erf_
erfc_ = Tensor.erfc_
erfinv_ = Tensor.erfinv_
exp2_ = Tensor.exp2_
exp_ = Tensor.exp_
expm1_ = Tensor.expm1_
exponential_ = Tensor.exponential_
fill_ = Tensor.fill_
fill_diagonal_ = Tensor.fill_diagonal_
fix_ = Tensor.fix_
float_power_ = Tensor.float_power_
floor_ = Tensor.floor_
floor_divide_ = Tensor.floor_divide_
fmod_ = Tensor.fmod_
frac_ = Tensor.frac_
gcd_ = Tensor.gcd_
ge_ = Tensor.ge_
geometric_ = Tensor.geometric_
greater_ = Tensor.greater_
greater_equal_ = Tensor.greater_equal_
gt_ = Tensor.gt_
heaviside_ = Tensor.heaviside_
hypot_ = Tensor.hypot_
i0_ = Tensor.i0_
igamma_ = Tensor.igamma_
igammac_ = Tensor.igammac_
index_add_ = Tensor.index_add_
index_copy_ = Tensor.index_copy_
index_fill_ = Tensor.index_fill_
index_put_ = Tensor.index_put_
index_reduce_ = Tensor.index_reduce_
lcm_ = Tensor.lcm_
ldexp_ = Tensor.ldexp_
le_ = Tensor.le_
lerp_ = Tensor.lerp_
less_ = Tensor.less_
less_equal_ = Tensor.less_equal_
lgamma_ = Tensor.lgamma_
log10_ = Tensor.log10_
log1p_ = Tensor.log1p_
log2_ = Tensor.log2_
log_ = Tensor.log_
log_normal_ = Tensor.log_normal_
logical_and_ = Tensor.logical_and_
logical_not_ = Tensor.logical_not_
logical_or_ = Tensor.logical_or_
logical_xor_ = Tensor.logical_xor_
logit_ = Tensor.logit_
lt_ = Tensor.lt_
map2_ = Tensor.map2_
map_ = Tensor.map_
masked_fill_ = Tensor.masked_fill_
masked_scatter_ = Tensor.masked_scatter_
mul_ = Tensor.mul_
multiply_ = Tensor.multiply_
mvlgamma_ = Tensor.mvlgamma_
nan_to_num_ = Tensor.nan_to_num_
ne_ = Tensor.ne_
neg_ = Tensor.neg_
negative_ = Tensor.negative_
nextafter_ = Tensor.nextafter_
normal_ = Tensor.normal_
not_equal_ = Tensor.not_equal_
polygamma_ = Tensor.polygamma_
pow_ = Tensor.pow_
put_ = Tensor.put_
rad2deg_ = Tensor.rad2deg_
random_ = Tensor.random_
reciprocal_ = Tensor.reciprocal_
remainder_ = Tensor.remainder_
renorm_ = Tensor.renorm_
requires_grad_ = Tensor.requires_grad_
resize_ = Tensor.resize_
resize_as_ = Tensor.resize_as_
round_ = Tensor.round_
rsqrt_ = Tensor.rsqrt_
scatter_ = Tensor.scatter_
scatter_add_ = Tensor.scatter_add_
scatter_reduce_ = Tensor.scatter_reduce_
set_ = Tensor.set_
sgn_ = Tensor.sgn_
share_memory_ = Tensor.share_memory_
sigmoid_ = Tensor.sigmoid_
sign_ = Tensor.sign_
sin_ = Tensor.sin_
sinc_ = Tensor.sinc_
sinh_ = Tensor.sinh_
sqrt_ = Tensor.sqrt_
square_ = Tensor.square_
squeeze_ = Tensor.squeeze_
sub_ = Tensor.sub_
subtract_ = Tensor.subtract_
swapaxes_ = Tensor.swapaxes_
swapdims_ = Tensor.swapdims_
t_ = Tensor.t_
tan_ = Tensor.tan_
tanh_ = Tensor.tanh_
transpose_ = Tensor.transpose_
tril_ = Tensor.tril_
triu_ = Tensor.triu_
true_divide_ = Tensor.true_divide_
trunc_ = Tensor.trunc_
uniform_ = Tensor.uniform_
unsqueeze_ = Tensor.unsqueeze_
xlogy_ = Tensor.xlogy_

__all__ = ["__version__", "BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "Future",
           "Generator", "GradScaler", "HalfTensor", "IntTensor", "LongTensor", "ShortTensor", "Size", "Tensor", "TypedStorage",
           "UntypedStorage", "abs", "absolute", "accelerator", "acos", "acosh", "adaptive_avg_pool1d", "adaptive_max_pool1d",
           "add", "addbmm", "addcdiv", "addcmul", "addmm", "addmv", "addr", "adjoint", "alias_copy", "all", "allclose",
           "alpha_dropout", "alpha_dropout_", "amax", "amin", "aminmax", "amp", "angle", "any", "arange", "arccos", "arccosh",
           "arcsin", "arcsinh", "arctan", "arctan2", "arctanh", "are_deterministic_algorithms_enabled", "argmax", "argmin",
           "argsort", "argwhere", "as_strided", "as_strided_copy", "as_strided_scatter", "as_tensor", "as_torch", "asarray",
           "asin", "asinh", "atan", "atan2", "atanh", "atleast_1d", "atleast_2d", "atleast_3d", "autocast", "autograd",
           "avg_pool1d", "backends", "baddbmm", "bartlett_window", "batch_norm", "bernoulli", "bfloat16", "bilinear",
           "binary_cross_entropy_with_logits", "bincount", "binomial", "bitwise_and", "bitwise_left_shift", "bitwise_not",
           "bitwise_or", "bitwise_right_shift", "bitwise_xor", "blackman_window", "block_diag", "bmm", "bool",
           "broadcast_shapes", "broadcast_tensors", "broadcast_to", "bucketize", "can_cast", "cartesian_prod", "cat", "cdist",
           "cdouble", "ceil", "celu", "celu_", "cfloat", "chain_matmul", "channel_shuffle", "channels_last", "channels_last_3d",
           "cholesky", "cholesky_inverse", "cholesky_solve", "chunk", "clamp", "clamp_max", "clamp_min", "clip", "clone",
           "column_stack", "combinations", "compile", "compiler", "complex", "complex128", "complex64", "concat", "concatenate",
           "conj", "conj_physical", "constant_pad_nd", "contiguous_format", "conv1d", "conv2d", "conv3d", "conv_tbc",
           "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "copysign", "corrcoef", "cos", "cosh",
           "cosine_embedding_loss", "cosine_similarity", "count_nonzero", "cov", "cpu", "cross", "ctc_loss", "cuda", "cummax",
           "cummin", "cumprod", "cumsum", "cumulative_trapezoid", "datasets", "default_generator", "deg2rad", "demo", "det",
           "detach", "detach_", "detach_copy", "device", "diag", "diag_embed", "diagflat", "diagonal", "diagonal_copy",
           "diagonal_scatter", "diff", "digamma", "dist", "distributed", "distributions", "div", "divide", "dot", "double",
           "dropout", "dropout_", "dsplit", "dstack", "dtype", "e", "einsum", "embedding", "embedding_bag", "empty",
           "empty_like", "empty_permuted", "empty_strided", "enable_grad", "eq", "equal", "erf", "erfc", "erfinv", "errors",
           "exp", "exp2", "expand_copy", "expm1", "eye", "feature_alpha_dropout", "feature_alpha_dropout_", "feature_dropout",
           "feature_dropout_", "fft", "fill", "finfo", "fix", "flatten", "flip", "fliplr", "flipud", "float", "float16",
           "float32", "float64", "float_power", "floor", "floor_divide", "fmax", "fmin", "fmod", "fork_rng", "frac", "frexp",
           "from_dlpack", "from_file", "from_numpy", "frombuffer", "full", "full_like", "func", "futures", "fx", "gather", "gcd",
           "ge", "geqrf", "ger", "get_default_device", "get_default_dtype", "get_deterministic_debug_mode", "get_device",
           "get_device_module", "get_float32_matmul_precision", "get_hints", "get_num_interop_threads", "get_num_threads",
           "get_printoptions", "get_rng_state", "gradient", "greater", "greater_equal", "grid_sampler", "grid_sampler_2d",
           "grid_sampler_3d", "group_norm", "gt", "half", "hamming_window", "hann_window", "hardshrink", "hash_tensor",
           "heaviside", "hinge_embedding_loss", "histc", "histogram", "histogramdd", "hsplit", "hstack", "hub", "hypot", "i0",
           "igamma", "igammac", "iinfo", "imag", "index_add", "index_copy", "index_fill", "index_put", "index_reduce",
           "index_select", "inf", "inference_mode", "initial_seed", "inner", "instance_norm", "int", "int16", "int32", "int64",
           "int8", "inverse", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "is_autocast_enabled", "is_complex",
           "is_conj", "is_deterministic_algorithms_warn_only_enabled", "is_floating_point", "is_grad_enabled", "is_inference",
           "is_inference_mode_enabled", "is_neg", "is_nonzero", "is_same_size", "is_signed", "is_storage", "is_tensor",
           "is_warn_always_enabled", "isclose", "isfinite", "isin", "isinf", "isnan", "isneginf", "isposinf", "isreal", "istft",
           "jit", "kaiser_window", "kl_div", "kron", "kthvalue", "layer_norm", "layout", "lcm", "ldexp", "le",
           "legacy_contiguous_format", "lerp", "less", "less_equal", "lgamma", "library", "linalg", "linspace", "load", "lobpcg",
           "log", "log10", "log1p", "log2", "log_softmax", "logaddexp", "logaddexp2", "logcumsumexp", "logdet", "logical_and",
           "logical_not", "logical_or", "logical_xor", "logit", "logspace", "logsumexp", "long", "lt", "lu", "lu_solve",
           "lu_unpack", "manual_seed", "margin_ranking_loss", "masked", "masked_fill", "masked_scatter", "masked_select",
           "matmul", "matrix_exp", "matrix_power", "max", "max_pool1d", "max_pool1d_with_indices", "max_pool2d", "max_pool3d",
           "maximum", "mean", "median", "memory_format", "meshgrid", "min", "minimum", "mm", "mode", "moveaxis", "movedim",
           "msort", "mul", "multinomial", "multiply", "multiprocessing", "mv", "mvlgamma", "nan", "nan_to_num", "nanmean",
           "nanmedian", "nanquantile", "nansum", "narrow", "narrow_copy", "native_batch_norm", "native_channel_shuffle",
           "native_group_norm", "native_layer_norm", "ne", "neg", "negative", "newaxis", "nextafter", "nn", "no_grad", "nonzero",
           "nonzero_static", "norm", "normal", "not_equal", "numel", "ones", "ones_like", "onnx", "ops", "optim", "orgqr",
           "ormqr", "outer", "overrides", "pairwise_distance", "pca_lowrank", "pdist", "permute", "permute_copy", "pi",
           "pinverse", "pixel_shuffle", "pixel_unshuffle", "poisson", "poisson_nll_loss", "polar", "polygamma", "positive",
           "pow", "prelu", "preserve_format", "printoptions", "prod", "profiler", "promote_types", "put", "qr", "quantile",
           "quasirandom", "rad2deg", "rand", "rand_like", "randint", "randint_like", "randn", "randn_like", "random", "randperm",
           "range", "ravel", "real", "reciprocal", "recording", "relu", "relu_", "remainder", "renorm", "repeat_interleave",
           "reshape", "resolve_conj", "resolve_neg", "result_type", "return_types", "rms_norm", "roll", "rot90", "round",
           "row_stack", "rrelu", "rrelu_", "rsqrt", "rsub", "safetensors", "save", "scalar_tensor", "scatter", "scatter_add",
           "scatter_reduce", "searchsorted", "seed", "segment_reduce", "select", "select_copy", "select_scatter", "selu",
           "selu_", "serialization", "set_default_device", "set_default_dtype", "set_default_tensor_type",
           "set_deterministic_debug_mode", "set_float32_matmul_precision", "set_flush_denormal", "set_grad_enabled", "set_hints",
           "set_num_interop_threads", "set_num_threads", "set_printoptions", "set_rng_state", "set_warn_always", "sgn", "short",
           "sigmoid", "sign", "signal", "signbit", "sin", "sinc", "sinh", "slice_copy", "slice_scatter", "slogdet", "softmax",
           "sort", "special", "split", "split_copy", "split_with_sizes", "split_with_sizes_copy", "sqrt", "square", "squeeze",
           "squeeze_copy", "stack", "std", "std_mean", "stft", "strided", "sub", "subtract", "sum", "summary", "svd",
           "svd_lowrank", "swapaxes", "swapdims", "t", "t_copy", "take", "take_along_dim", "tan", "tanh", "tensor",
           "tensor_split", "tensordot", "testing", "threshold", "threshold_", "tile", "to_dlpack", "topk", "torch_version",
           "trace", "transpose", "transpose_copy", "trapezoid", "trapz", "triangular_solve", "tril", "tril_indices",
           "triplet_margin_loss", "triu", "triu_indices", "true_divide", "trunc", "types", "uint16", "uint32", "uint64", "uint8",
           "unbind", "unbind_copy", "unflatten", "unfold_copy", "unique", "unique_consecutive", "unravel_index", "unsafe_chunk",
           "unsafe_split", "unsafe_split_with_sizes", "unsqueeze", "unsqueeze_copy", "use_deterministic_algorithms", "utils",
           "vander", "var", "var_mean", "vdot", "version", "view_as", "view_as_complex", "view_as_complex_copy", "view_as_real",
           "view_as_real_copy", "view_copy", "vision", "viz", "vmap", "vsplit", "vstack", "where", "xlogy", "zero_", "zeros",
           "zeros_like", "abs_", "absolute_", "acos_", "acosh_", "add_", "addbmm_", "addcdiv_", "addcmul_", "addmm_", "addmv_",
           "addr_", "apply_", "arccos_", "arccosh_", "arcsin_", "arcsinh_", "arctan2_", "arctan_", "arctanh_", "as_strided_",
           "asin_", "asinh_", "atan2_", "atan_", "atanh_", "baddbmm_", "bernoulli_", "bitwise_and_", "bitwise_left_shift_",
           "bitwise_not_", "bitwise_or_", "bitwise_right_shift_", "bitwise_xor_", "cauchy_", "ceil_", "clamp_", "clamp_max_",
           "clamp_min_", "clip_", "conj_physical_", "copy_", "copysign_", "cos_", "cosh_", "cumprod_", "cumsum_", "deg2rad_",
           "digamma_", "div_", "divide_", "eq_", "erf_", "erfc_", "erfinv_", "exp2_", "exp_", "expm1_", "exponential_", "fill_",
           "fill_diagonal_", "fix_", "float_power_", "floor_", "floor_divide_", "fmod_", "frac_", "gcd_", "ge_", "geometric_",
           "greater_", "greater_equal_", "gt_", "heaviside_", "hypot_", "i0_", "igamma_", "igammac_", "index_add_",
           "index_copy_", "index_fill_", "index_put_", "index_reduce_", "lcm_", "ldexp_", "le_", "lerp_", "less_", "less_equal_",
           "lgamma_", "log10_", "log1p_", "log2_", "log_", "log_normal_", "logical_and_", "logical_not_", "logical_or_",
           "logical_xor_", "logit_", "lt_", "map2_", "map_", "masked_fill_", "masked_scatter_", "mul_", "multiply_", "mvlgamma_",
           "nan_to_num_", "ne_", "neg_", "negative_", "nextafter_", "normal_", "not_equal_", "polygamma_", "pow_", "put_",
           "rad2deg_", "random_", "reciprocal_", "remainder_", "renorm_", "requires_grad_", "resize_", "resize_as_", "round_",
           "rsqrt_", "scatter_", "scatter_add_", "scatter_reduce_", "set_", "sgn_", "share_memory_", "sigmoid_", "sign_", "sin_",
           "sinc_", "sinh_", "sqrt_", "square_", "squeeze_", "sub_", "subtract_", "swapaxes_", "swapdims_", "t_", "tan_",
           "tanh_", "transpose_", "tril_", "triu_", "true_divide_", "trunc_", "uniform_", "unsqueeze_", "xlogy_"]
