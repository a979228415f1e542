"""What detectors need beside layers, with torchvision's names: boxes, regions of features, losses, and layers of its networks."""

from minigrad.vision.ops.boxes import *
from minigrad.vision.ops.feature_pyramid_network import *
from minigrad.vision.ops.losses import *
from minigrad.vision.ops.misc import *
from minigrad.vision.ops.regions import *
from minigrad.vision.ops.stochastic_depth import *
