"""PyTorch's programming model in readable Python on NumPy."""

import importlib as _importlib
import math as _math
import sys as _sys
from typing import Any as _Any

from minigrad import _arrays, _paths
from minigrad import autograd as autograd
from minigrad import random as random
from minigrad._tensor import Tensor as Tensor
from minigrad._tensor.predicates import *
from minigrad._tensor.printing import *
from minigrad._types import dtypes as _dtypes
from minigrad._types.dtypes import *
from minigrad._types.layouts import *
from minigrad._types.size import Size as Size
from minigrad.autograd import enable_grad as enable_grad
from minigrad.autograd import inference_mode as inference_mode
from minigrad.autograd import is_grad_enabled as is_grad_enabled
from minigrad.autograd import is_inference_mode_enabled as is_inference_mode_enabled
from minigrad.autograd import no_grad as no_grad
from minigrad.autograd import set_grad_enabled as set_grad_enabled
from minigrad.autograd.anomaly_mode import is_anomaly_check_nan_enabled as is_anomaly_check_nan_enabled
from minigrad.autograd.anomaly_mode import is_anomaly_enabled as is_anomaly_enabled
from minigrad.ops.copying import *
from minigrad.ops.creation import *
from minigrad.ops.indexing.as_strided import *
from minigrad.ops.indexing.indexing import *
from minigrad.ops.indexing.scatter import *
from minigrad.ops.indexing.take import *
from minigrad.ops.linear_algebra.decomposition import *
from minigrad.ops.linear_algebra.lowrank import *
from minigrad.ops.linear_algebra.products import *
from minigrad.ops.neural.activation import *
from minigrad.ops.neural.normalization import native_batch_norm, native_group_norm, native_layer_norm
from minigrad.ops.pointwise.arithmetic import *
from minigrad.ops.pointwise.comparison import *
from minigrad.ops.pointwise.elementary import *
from minigrad.ops.pointwise.special import *
from minigrad.ops.pointwise.tails import *
from minigrad.ops.reducing.ordering import *
from minigrad.ops.reducing.reduction import *
from minigrad.ops.sampling import *
from minigrad.ops.shaping.shape import *
from minigrad.ops.shaping.slicing import *
from minigrad.ops.spectral.fourier import *
from minigrad.ops.spectral.windows import *
from minigrad.ops.statistics import *
from minigrad.random import *
from minigrad.recording.boundary import publish as _publish
from minigrad.recording.hints import get_hints as get_hints
from minigrad.recording.hints import set_hints as set_hints

__version__ = "0.1.0"

device, get_default_device, set_default_device = _arrays.Device, _arrays.get_default_device, _arrays.set_default_device
half, float, double, cfloat, cdouble = _dtypes.float16, _dtypes.float32, _dtypes.float64, _dtypes.complex64, _dtypes.complex128
short, int, long, bool = _dtypes.int16, _dtypes.int32, _dtypes.int64, _dtypes.bool_
e, pi, inf, nan = _math.e, _math.pi, _math.inf, _math.nan
newaxis = None
_publish(globals())
_sys.meta_path.append(_paths.RoomsFinder())

# Imported when first asked for, so that `import minigrad` stays quick.
_PARTS = frozenset(("accelerator", "amp", "backends", "compiler", "cpu", "cuda", "distributed", "distributions", "fft", "func",
                    "futures", "fx", "hub", "jit", "library", "linalg", "masked", "multiprocessing", "nn", "onnx", "optim",
                    "overrides", "quasirandom", "return_types", "safetensors", "serialization", "signal", "special", "testing",
                    "torch_version", "types", "utils", "version", "vision", "viz", "_C", "__config__", "__future__", "_dynamo"))
_ELSEWHERE = {
    **dict.fromkeys(("get_float32_matmul_precision", "set_float32_matmul_precision"), "backends"),
    **dict.fromkeys(("GradScaler", "autocast", "is_autocast_enabled"), "amp"),
    **dict.fromkeys(("load", "save"), "serialization"),
    **dict.fromkeys(("are_deterministic_algorithms_enabled", "get_deterministic_debug_mode", "get_num_interop_threads",
                     "get_num_threads",
                     "is_deterministic_algorithms_warn_only_enabled", "is_warn_always_enabled",
                     "set_deterministic_debug_mode", "set_flush_denormal",
                     "set_num_interop_threads", "set_num_threads", "set_warn_always", "use_deterministic_algorithms"),
                    "_settings"),
    **dict.fromkeys(("BFloat16Tensor", "BoolTensor", "ByteTensor", "CharTensor", "DoubleTensor", "FloatTensor", "HalfTensor",
                     "IntTensor", "LongTensor", "ShortTensor", "set_default_tensor_type"), "_tensor.typed"),
    **dict.fromkeys(("alpha_dropout", "alpha_dropout_", "dropout", "dropout_", "feature_alpha_dropout", "feature_alpha_dropout_",
                     "feature_dropout", "feature_dropout_"), "nn.functional.switched_dropouts"),
    **dict.fromkeys(("grid_sampler", "grid_sampler_2d", "grid_sampler_3d"), "nn.functional.samplers"),
    **dict.fromkeys(("TypedStorage", "UntypedStorage", "is_storage"), "_tensor.storage"),
    "Future": "futures", "compile": "compiler",
    "as_torch": "_paths", "get_device_module": "accelerator", "summary": "viz", "vmap": "func"}
_FUNCTIONS_OF_NN = frozenset((
    "adaptive_avg_pool1d", "adaptive_max_pool1d", "avg_pool1d", "batch_norm", "bilinear",
    "binary_cross_entropy_with_logits", "celu_", "channel_shuffle", "conv1d", "conv2d", "conv3d", "conv_tbc",
    "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cosine_embedding_loss", "cosine_similarity", "ctc_loss",
    "embedding", "embedding_bag", "group_norm", "hinge_embedding_loss",
    "instance_norm", "kl_div", "layer_norm", "margin_ranking_loss", "max_pool1d", "max_pool1d_with_indices", "max_pool2d",
    "max_pool3d", "native_channel_shuffle", "pairwise_distance", "pdist", "pixel_shuffle", "pixel_unshuffle", "poisson_nll_loss",
    "rms_norm",
    "rrelu", "rrelu_", "selu_", "threshold_", "triplet_margin_loss"))


def __getattr__(name: str) -> _Any:
    if name in _PARTS:
        return _importlib.import_module(f"minigrad.{name}")
    if name in _ELSEWHERE:
        return getattr(_importlib.import_module(f"minigrad.{_ELSEWHERE[name]}"), name)
    if name in _FUNCTIONS_OF_NN:
        function = globals()[name] = getattr(_importlib.import_module("minigrad.nn.functional"), name)
        return function
    if name.endswith("_") and not name.startswith("_") and hasattr(Tensor, name):
        return getattr(Tensor, name)  # x.exp_() is exp_(x) too
    return _paths.submodule(__name__, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_PARTS, *_ELSEWHERE, *_FUNCTIONS_OF_NN})
