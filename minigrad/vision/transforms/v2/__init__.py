"""The transforms under the names of torchvision's second version: those of the first, which take labels along, and some more.

Boxes, masks and key points are not changed along with their image: what is no image is handed on as it is.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Sequence

import minigrad as mg
from minigrad import _pytree
from minigrad.errors import InvalidValueError
from minigrad.nn.functional import one_hot
from minigrad.vision._pillow import is_pil_image
from minigrad.vision.transforms import autoaugment as _autoaugment
from minigrad.vision.transforms import transforms as _transforms
from minigrad.vision.transforms.autoaugment import *
from minigrad.vision.transforms.transforms import *
from minigrad.vision.transforms.transforms import Conversion, ImageTransform, SomeOf, in_turn, whole
from minigrad.vision.transforms.v2 import functional as functional

__all__ = [*_transforms.__all__, *_autoaugment.__all__, "CutMix", "GaussianNoise", "Identity", "MixUp", "RGB",
           "RandomChannelPermutation", "RandomResize", "RandomShortestSize", "ScaleJitter", "ToDtype", "ToImage", "ToPureTensor",
           "Transform"]


class Transform(ImageTransform):
    """What transforms of your own derive from: `make_params` draws what is random of a call, `transform` changes an image."""

    def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
        """What is random of the next call, from the images."""
        return {}

    def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
        """The image changed."""
        raise NotImplementedError(f"{type(self).__name__} has no method 'transform'")

    def draw(self, img: Any) -> tuple[Any, ...]:
        """The parameters."""
        return (self.make_params([img]),)

    def change(self, img: Any, params: Any) -> Any:
        """The image changed by them."""
        return self.transform(img, params)


# ---------------------------------------------------------------------------------------------------- together

class Identity(ImageTransform):
    """The image as it is."""

    def change(self, img: Any) -> Any:
        """The image."""
        return img


class Lambda(Conversion):  # type: ignore[no-redef]
    """A function as a transform, called with each input of the types given.

    Args:
        lambd: the function.
        types: of what; of everything by default.
    """

    def __init__(self, lambd: Callable[[Any], Any], *types: type) -> None:
        super().__init__()
        self.lambd, self.types = lambd, types or (object,)

    def takes(self, x: Any) -> bool:
        """What is of these types."""
        return isinstance(x, self.types)

    def change(self, img: Any) -> Any:
        """What the function gives."""
        return self.lambd(img) if self.takes(img) else img

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"{getattr(self.lambd, '__name__', self.lambd)}, types={[kind.__name__ for kind in self.types]}"


class RandomOrder(SomeOf):  # type: ignore[no-redef]
    """All of the transforms, in an order that minigrad's generator chooses.

    Args:
        transforms: a sequence.
    """

    def __call__(self, *inputs: Any) -> Any:
        return in_turn([self.transforms[i] for i in mg.randperm(len(self.transforms)).tolist()], inputs)


class RandomChoice(SomeOf):  # type: ignore[no-redef]
    """One of the transforms, which minigrad's generator chooses.

    Args:
        transforms: a sequence.
        p: how often each is chosen, in proportion; equally often by default.
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        p = [1.0] * len(transforms) if p is None else p
        if len(p) != len(transforms):
            raise InvalidValueError(f"Length of p doesn't match the number of transforms: {len(p)} != {len(transforms)}")
        self.p = [share / sum(p) for share in p]

    def __call__(self, *inputs: Any) -> Any:
        return self.transforms[int(mg.multinomial(mg.tensor(self.p), 1).item())](*inputs)


# ---------------------------------------------------------------------------------------------------- from kind to kind

class ToImage(Conversion):
    """An image of Pillow's or an array ``(height, width[, channels])`` as a tensor ``(channels, height, width)``.

    Its numbers are the same. Tensors are given back.
    """

    def change(self, img: Any) -> Any:
        """The tensor."""
        return functional.to_image(img)


class ToPureTensor(Identity):
    """The tensor as it is: there are no others here."""


class ToDtype(ImageTransform):
    """A tensor in another dtype.

    Args:
        dtype: the dtype.
        scale: colours stay the same, from 0 to 255 in uint8 and from 0 to 1 in floating point.
    """

    def __init__(self, dtype: Any, scale: bool = False) -> None:
        super().__init__()
        if not isinstance(dtype, mg.dtype):
            raise InvalidValueError(f"dtype must be a minigrad.dtype, got {dtype!r}")
        self.dtype, self.scale = dtype, scale

    def change(self, img: Any) -> Any:
        """The tensor in that dtype."""
        return functional.to_dtype(img, self.dtype, self.scale) if isinstance(img, mg.Tensor) else img

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"scale={self.scale}"


class RGB(ImageTransform):
    """The image in three channels, alike where it has one."""

    def change(self, img: Any) -> Any:
        """The image in three channels."""
        return functional.grayscale_to_rgb(img)


# ---------------------------------------------------------------------------------------------------- colours and sizes

class GaussianNoise(ImageTransform):
    """A tensor of floating point with noise.

    Args:
        mean, sigma: of the noise.
        clip: keep within 0 to 1.
    """

    def __init__(self, mean: float = 0.0, sigma: float = 0.1, clip: bool = True) -> None:
        super().__init__()
        self.mean, self.sigma, self.clip = mean, sigma, clip

    def change(self, img: Any) -> Any:
        """The tensor with noise."""
        return functional.gaussian_noise(img, self.mean, self.sigma, self.clip)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"mean={self.mean}, sigma={self.sigma}, clip={self.clip}"


class RandomChannelPermutation(ImageTransform):
    """The image with its channels in random order."""

    def draw(self, img: Any) -> tuple[Any, ...]:
        """The order."""
        return (mg.randperm(functional.get_num_channels(img)).tolist(),)

    def change(self, img: Any, permutation: Any) -> Any:
        """The image in that order."""
        return functional.permute_channels(img, permutation)


class RandomlyResized(ImageTransform):
    """The image in a size that :meth:`draw` chooses."""

    def __init__(self, interpolation: Any, antialias: bool | None) -> None:
        super().__init__()
        self.interpolation, self.antialias = interpolation, antialias

    def change(self, img: Any, size: Any) -> Any:
        """The image in that size."""
        return functional.resize(img, size, self.interpolation, antialias=self.antialias)


class RandomResize(RandomlyResized):
    """The image in another size, of which the shorter side is random.

    Args:
        min_size, max_size: bounds of that side, the second of them not included.
        interpolation, antialias: as in :class:`Resize`.
    """

    def __init__(self, min_size: int, max_size: int, interpolation: Any = InterpolationMode.BILINEAR,
                 antialias: bool | None = True) -> None:
        super().__init__(interpolation, antialias)
        self.min_size, self.max_size = min_size, max_size

    def draw(self, img: Any) -> tuple[Any, ...]:
        """The shorter side."""
        return ([whole(self.min_size, self.max_size)],)


class RandomShortestSize(RandomlyResized):
    """The image in another size, of which the shorter side is one of several.

    Args:
        min_size: the lengths to choose from, or one.
        max_size: the longer side is at most this.
        interpolation, antialias: as in :class:`Resize`.
    """

    def __init__(self, min_size: Any, max_size: int | None = None, interpolation: Any = InterpolationMode.BILINEAR,
                 antialias: bool | None = True) -> None:
        super().__init__(interpolation, antialias)
        self.min_size, self.max_size = [min_size] if isinstance(min_size, int) else list(min_size), max_size

    def draw(self, img: Any) -> tuple[Any, ...]:
        """Height and width."""
        height, width = functional.get_size(img)
        factor = self.min_size[whole(0, len(self.min_size))] / min(height, width)
        if self.max_size is not None:
            factor = min(factor, self.max_size / max(height, width))
        return ([int(height * factor), int(width * factor)],)


class ScaleJitter(RandomlyResized):
    """The image scaled so that it fits into a size, times a random factor.

    Args:
        target_size: the size.
        scale_range: bounds of the factor.
        interpolation, antialias: as in :class:`Resize`.
    """

    def __init__(self, target_size: Sequence[int], scale_range: Sequence[float] = (0.1, 2.0),
                 interpolation: Any = InterpolationMode.BILINEAR, antialias: bool | None = True) -> None:
        super().__init__(interpolation, antialias)
        self.target_size, self.scale_range = target_size, scale_range

    def draw(self, img: Any) -> tuple[Any, ...]:
        """Height and width."""
        height, width = functional.get_size(img)
        scale = self.scale_range[0] + mg.rand(1).item() * (self.scale_range[1] - self.scale_range[0])
        factor = min(self.target_size[1] / height, self.target_size[0] / width) * scale
        return ([int(height * factor), int(width * factor)],)


# ---------------------------------------------------------------------------------------------------- batches

class Mixture(ImageTransform):
    """A batch of images and their labels, each mixed with its neighbour in the batch."""

    def __init__(self, *, alpha: float = 1.0, num_classes: int | None = None) -> None:
        super().__init__()
        self.alpha, self.num_classes = float(alpha), num_classes

    def share(self) -> float:
        """How much of itself is left of each image."""
        share: float = mg.distributions.Beta(mg.tensor([self.alpha]), mg.tensor([self.alpha])).sample().item()
        return share

    def mix(self, images: Any, share: float) -> tuple[Any, float]:
        """The images mixed, and how much of itself is left of each."""
        raise NotImplementedError(f"{type(self).__name__} has no method 'mix'")

    def forward(self, *inputs: Any) -> Any:
        """The images and the labels mixed, with whatever else there is."""
        leaves, spec = _pytree.tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        if any(is_pil_image(leaf) for leaf in leaves):
            raise InvalidValueError(f"{type(self).__name__}() does not support PIL images: it mixes batches, after a DataLoader")
        tensors = [i for i, leaf in enumerate(leaves) if isinstance(leaf, mg.Tensor)]
        if len(tensors) != 2:
            raise InvalidValueError(f"{type(self).__name__}: expected a batch of images and its labels, got "
                                    f"{len(tensors)} tensors")
        images, labels = (leaves[i] for i in tensors)
        if images.ndim != 4 or labels.ndim not in (1, 2) or len(images) != len(labels):
            raise InvalidValueError(f"{type(self).__name__}: expected images (N, C, H, W) and labels (N,) or (N, num_classes), "
                                    f"got {tuple(images.shape)} and {tuple(labels.shape)}")
        if labels.ndim == 1:
            if self.num_classes is None:
                raise InvalidValueError("num_classes must be passed if the labels are index-based (1D)")
            labels = one_hot(labels, self.num_classes)
        elif self.num_classes not in (None, labels.shape[1]):
            raise InvalidValueError("When passing 2D labels, the number of elements in last dimension must match num_classes: "
                                    f"{labels.shape[1]} != {self.num_classes}")
        leaves[tensors[0]], share = self.mix(images, self.share())
        shares = labels if labels.is_floating_point() else labels.float()
        leaves[tensors[1]] = shares.roll(1, 0) * (1.0 - share) + shares * share
        return _pytree.tree_unflatten(leaves, spec)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"alpha={self.alpha}, num_classes={self.num_classes}"


class MixUp(Mixture):
    """Each image and label of a batch mixed with its neighbour (Zhang and others, https://arxiv.org/abs/1710.09412).

    Args:
        alpha: of the Beta distribution of shares.
        num_classes: how many classes there are, where labels are indices.
    """

    def mix(self, images: Any, share: float) -> tuple[Any, float]:
        """The images mixed, and how much of itself is left of each."""
        return images.roll(1, 0) * (1.0 - share) + images * share, share


class CutMix(Mixture):
    """A rectangle of each image of a batch replaced by its neighbour's (Yun and others, https://arxiv.org/abs/1905.04899).

    Args:
        alpha: of the Beta distribution of shares.
        num_classes: how many classes there are, where labels are indices.
    """

    def mix(self, images: Any, share: float) -> tuple[Any, float]:
        """The images mixed, and how much of itself is left of each."""
        height, width = functional.get_size(images)
        x, y, half = whole(0, width), whole(0, height), 0.5 * math.sqrt(1.0 - share)
        left, right = max(x - int(half * width), 0), min(x + int(half * width), width)
        top, bottom = max(y - int(half * height), 0), min(y + int(half * height), height)
        mixed = images.clone()
        mixed[..., top:bottom, left:right] = images.roll(1, 0)[..., top:bottom, left:right]
        return mixed, 1.0 - (right - left) * (bottom - top) / (width * height)
