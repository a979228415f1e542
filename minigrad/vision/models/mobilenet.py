"""MobileNetV2 and MobileNetV3, at the path where programs look for either."""

from minigrad.vision.models.mobilenetv2 import *
from minigrad.vision.models.mobilenetv3 import *
