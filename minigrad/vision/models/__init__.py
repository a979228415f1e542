"""Networks for images, with torchvision's names, arguments and state, so that its published weights load.

Each is made by a function, ``resnet18()``, or by its name, ``get_model("resnet18")``. With
``weights=ResNet18_Weights.DEFAULT``, or ``weights="DEFAULT"``, it begins with weights that torchvision published, which are
fetched once; ``ResNet18_Weights.DEFAULT.transforms()`` makes of images what these expect.
"""

from minigrad.vision.models._api import Weights as Weights
from minigrad.vision.models._api import WeightsEnum as WeightsEnum
from minigrad.vision.models._api import get_model as get_model
from minigrad.vision.models._api import get_model_builder as get_model_builder
from minigrad.vision.models._api import get_model_weights as get_model_weights
from minigrad.vision.models._api import get_weight as get_weight
from minigrad.vision.models._api import list_models as list_models
from minigrad.vision.models.alexnet import *
from minigrad.vision.models.convnext import *
from minigrad.vision.models.densenet import *
from minigrad.vision.models.efficientnet import *
from minigrad.vision.models.googlenet import *
from minigrad.vision.models.inception import *
from minigrad.vision.models.lenet import *
from minigrad.vision.models.mnasnet import *
from minigrad.vision.models.mobilenet import *
from minigrad.vision.models.resnet import *
from minigrad.vision.models.shufflenetv2 import *
from minigrad.vision.models.squeezenet import *
from minigrad.vision.models.vgg import *
from minigrad.vision.models.vision_transformer import *
