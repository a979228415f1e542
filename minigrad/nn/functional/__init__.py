"""PyTorch's ``nn.functional``: layers and losses as functions.

Most are operations, declared with their derivatives in :mod:`minigrad.ops` and only named here. What this package writes
itself is composed of them, so its derivatives follow.
"""

from minigrad.nn.functional import activations, attention, distance, dropouts, grouped, indices, losses, resampling
from minigrad.nn.functional.activations import *
from minigrad.nn.functional.attention import *
from minigrad.nn.functional.distance import *
from minigrad.nn.functional.dropouts import *
from minigrad.nn.functional.grouped import *
from minigrad.nn.functional.indices import *
from minigrad.nn.functional.losses import *
from minigrad.nn.functional.resampling import *
from minigrad.ops.linear_algebra.products import linear
from minigrad.ops.neural import convolution, pooling
from minigrad.ops.neural.convolution import *
from minigrad.ops.neural.embedding import embedding, embedding_bag, one_hot
from minigrad.ops.neural.normalization import (
    batch_norm,
    group_norm,
    instance_norm,
    layer_norm,
    local_response_norm,
    normalize,
    rms_norm,
)
from minigrad.ops.neural.padding import pad
from minigrad.ops.neural.pooling import *
from minigrad.recording.boundary import publish as _publish

__all__ = ["batch_norm", "embedding", "embedding_bag", "group_norm", "instance_norm", "layer_norm", "linear",
           "local_response_norm", "normalize", "one_hot", "pad", "rms_norm"]
__all__ += activations.__all__
__all__ += attention.__all__
__all__ += convolution.__all__
__all__ += distance.__all__
__all__ += dropouts.__all__
__all__ += grouped.__all__
__all__ += indices.__all__
__all__ += losses.__all__
__all__ += pooling.__all__
__all__ += resampling.__all__

_publish(globals())
