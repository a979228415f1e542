"""Images changed by objects that keep their settings and draw what is random of each call.

Random numbers come from minigrad's default generator, one draw after the other as torchvision draws them, so that
:func:`minigrad.manual_seed` repeats them; :class:`RandomChoice` and :class:`RandomOrder` ask Python's ``random``.
"""

from __future__ import annotations

import math
import random
import warnings
from numbers import Real
from typing import Any, Callable, Iterable, Sequence

import numpy as np

import minigrad as mg
from minigrad import _pytree, nn
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.vision._pillow import is_pil_image
from minigrad.vision.transforms import functional as F
from minigrad.vision.transforms.functional import InterpolationMode

__all__ = ["CenterCrop", "ColorJitter", "Compose", "ConvertImageDtype", "ElasticTransform", "FiveCrop", "GaussianBlur",
           "Grayscale", "InterpolationMode", "Lambda", "LinearTransformation", "Normalize", "PILToTensor", "Pad",
           "RandomAdjustSharpness", "RandomAffine", "RandomApply", "RandomAutocontrast", "RandomChoice", "RandomCrop",
           "RandomEqualize", "RandomErasing", "RandomGrayscale", "RandomHorizontalFlip", "RandomInvert", "RandomOrder",
           "RandomPerspective", "RandomPosterize", "RandomResizedCrop", "RandomRotation", "RandomSolarize", "RandomVerticalFlip",
           "Resize", "TenCrop", "ToPILImage", "ToTensor"]


# ---------------------------------------------------------------------------------------------------- what they have in common

class ImageTransform(nn.Module):
    """What changes an image: :meth:`draw` chooses what is random, from the image's size alone, and :meth:`change` does it.

    It is called with an image; or with several inputs, or containers of them, such as an image and its label. Then every image of
    Pillow's is changed, all by the same draws, or the first tensor where there is none; the rest is handed on as it is.
    """

    def draw(self, img: Any) -> tuple[Any, ...]:
        """What is random of the next call, as arguments of :meth:`change`."""
        return ()

    def change(self, img: Any, *drawn: Any) -> Any:
        """The image changed."""
        raise NotImplementedError(f"{type(self).__name__} has no method 'change'")

    def forward(self, *inputs: Any) -> Any:
        """The image changed, by new draws."""
        if len(inputs) == 1 and not isinstance(inputs[0], (tuple, list, dict)):
            return self.change(inputs[0], *self.draw(inputs[0]))
        leaves, spec = _pytree.tree_flatten(inputs if len(inputs) > 1 else inputs[0])
        places = self.places_of_images(leaves)
        if places:
            drawn = self.draw(leaves[places[0]])
            for i in places:
                leaves[i] = self.change(leaves[i], *drawn)
        return _pytree.tree_unflatten(leaves, spec)

    def places_of_images(self, leaves: list[Any]) -> list[int]:
        """Which of several inputs are to be changed."""
        return ([i for i, leaf in enumerate(leaves) if is_pil_image(leaf)]
                or [i for i, leaf in enumerate(leaves) if isinstance(leaf, mg.Tensor)][:1])

    def details(self) -> str:
        """The settings, for ``repr``."""
        return ""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.details()})"


class RandomImageTransform(ImageTransform):
    """What happens to an image with the probability `p`."""

    def __init__(self, p: float = 0.5) -> None:
        super().__init__()
        self.p = p

    def draw(self, img: Any) -> tuple[Any, ...]:
        """Whether it happens."""
        return (chance(self.p),)

    def change(self, img: Any, happens: bool) -> Any:
        """The image changed, or not."""
        return self.changed(img) if happens else img

    def changed(self, img: Any) -> Any:
        """The image changed."""
        raise NotImplementedError(f"{type(self).__name__} has no method 'changed'")

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"p={self.p}"


def chance(p: float) -> bool:
    """True with the probability `p`."""
    return bool(mg.rand(1).item() < p)


def uniform(low: float, high: float) -> float:
    """A number between two."""
    number: float = mg.empty(1).uniform_(low, high).item()
    return number


def whole(low: int, high: int) -> int:
    """A whole number from `low` to below `high`."""
    return int(mg.randint(low, high, (1,)).item())


def size_of(size: Any, message: str = "Please provide only two dimensions (h, w) for size.") -> Any:
    """Height and width, from one number or two."""
    if isinstance(size, Real):
        return (int(float(size)),) * 2
    if not isinstance(size, Sequence):
        raise ArgumentError(f"{message} Got {size!r}")
    if len(size) == 1:
        return (size[0], size[0])
    if len(size) != 2:
        raise InvalidValueError(f"{message} Got {size!r}")
    return size


def require_sequence(x: Any, name: str, lengths: tuple[int, ...] = (2,)) -> None:
    """Raise where `x` is no sequence of such a length."""
    message = f"{name} should be a sequence of length {' or '.join(map(str, lengths))}."
    if not isinstance(x, Sequence):
        raise ArgumentError(f"{message} Got {x!r}")
    if len(x) not in lengths:
        raise InvalidValueError(f"{message} Got {x!r}")


def range_of(x: Any, name: str, lengths: tuple[int, ...] = (2,)) -> list[float]:
    """Bounds of a draw: from ``-x`` to ``x`` for one number."""
    if isinstance(x, Real):
        if x < 0:
            raise InvalidValueError(f"If {name} is a single number, it must be positive. Got {x}")
        x = [-x, x]
    require_sequence(x, name, lengths)
    return [float(bound) for bound in x]


def fill_of(fill: Any) -> Any:
    """A colour: 0 for None."""
    if not isinstance(fill, (Real, Sequence, type(None))):
        raise ArgumentError(f"Fill should be either a sequence or a number. Got {fill!r}")
    return 0 if fill is None else fill


def listed(transforms: Any) -> str:
    """Transforms, each on a line, for ``repr``."""
    return "".join(f"\n    {t}" for t in transforms) + "\n"


# ---------------------------------------------------------------------------------------------------- together

class Compose:
    """Transforms one after another.

    Args:
        transforms: what is called in turn, each with what the one before gave; with several inputs where there are several.
    """

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        if not isinstance(transforms, Iterable):
            raise ArgumentError(f"Compose: expected a list of transforms, got {type(transforms).__name__}; write it in brackets, "
                                "Compose([...])")
        for t in transforms:
            if isinstance(t, type):
                raise ArgumentError(f"Compose: expected transforms, got the class {t.__name__}; {t.__name__}() makes a transform")
        self.transforms = transforms

    def __call__(self, *inputs: Any) -> Any:
        return in_turn(self.transforms, inputs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({listed(self.transforms)})"


def in_turn(transforms: Any, inputs: tuple[Any, ...]) -> Any:
    """What the transforms give, called one after another with one input or with several."""
    result = inputs if len(inputs) > 1 else inputs[0]
    for t in transforms:
        result = t(*result) if len(inputs) > 1 else t(result)
    return result


class Lambda:
    """A function as a transform.

    Args:
        lambd: what is called with the image.
    """

    def __init__(self, lambd: Callable[..., Any]) -> None:
        if not callable(lambd):
            raise ArgumentError(f"Argument lambd should be callable, got {type(lambd).__name__!r}")
        self.lambd = lambd

    def __call__(self, img: Any) -> Any:
        return self.lambd(img)

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class RandomApply(nn.Module):
    """All of the transforms, or with the probability ``1 - p`` none.

    Args:
        transforms: a sequence, or a ``ModuleList``.
        p: the probability.
    """

    def __init__(self, transforms: Any, p: float = 0.5) -> None:
        super().__init__()
        self.transforms = transforms
        self.p = p

    def forward(self, *inputs: Any) -> Any:
        """The image changed, or not."""
        return in_turn(() if self.p < mg.rand(1).item() else self.transforms, inputs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}(\n    p={self.p}{listed(self.transforms)})"


class SomeOf:
    """Transforms of which the next call chooses."""

    def __init__(self, transforms: Sequence[Callable[[Any], Any]]) -> None:
        if not isinstance(transforms, Sequence):
            raise ArgumentError(f"Argument transforms should be a sequence, got {type(transforms).__name__}")
        self.transforms = transforms

    def __repr__(self) -> str:
        return f"{type(self).__name__}({listed(self.transforms)})"


class RandomOrder(SomeOf):
    """All of the transforms, in an order that Python's ``random`` chooses.

    Args:
        transforms: a sequence.
    """

    def __call__(self, img: Any) -> Any:
        order = list(range(len(self.transforms)))
        random.shuffle(order)
        for i in order:
            img = self.transforms[i](img)
        return img


class RandomChoice(SomeOf):
    """One of the transforms, which Python's ``random`` chooses.

    Args:
        transforms: a sequence.
        p: how often each is chosen, in proportion; equally often by default.
    """

    def __init__(self, transforms: Sequence[Callable[..., Any]], p: Sequence[float] | None = None) -> None:
        super().__init__(transforms)
        if p is not None and not isinstance(p, Sequence):
            raise ArgumentError(f"Argument p should be a sequence, got {p!r}")
        self.p = p

    def __call__(self, *args: Any) -> Any:
        return random.choices(self.transforms, weights=self.p)[0](*args)

    def __repr__(self) -> str:
        return f"{super().__repr__()}(p={self.p})"


# ---------------------------------------------------------------------------------------------------- from kind to kind

class Conversion(ImageTransform):
    """What makes an image of one kind from another; of several inputs, all that are of the kinds it takes."""

    def takes(self, x: Any) -> bool:
        """Whether this is one of them."""
        return isinstance(x, (np.ndarray, mg.Tensor)) or is_pil_image(x)

    def places_of_images(self, leaves: list[Any]) -> list[int]:
        """Which of several inputs are to be changed."""
        return [i for i, leaf in enumerate(leaves) if self.takes(leaf)]


class ToTensor(Conversion):
    """An image of Pillow's or an array ``(height, width[, channels])`` as a tensor ``(channels, height, width)``.

    Colours of uint8 become numbers from 0 to 1; other dtypes are kept.
    """

    def takes(self, x: Any) -> bool:
        """Images of Pillow's, and arrays."""
        return isinstance(x, np.ndarray) or is_pil_image(x)

    def change(self, img: Any) -> Any:
        """The tensor."""
        return F.to_tensor(img)


class PILToTensor(Conversion):
    """An image of Pillow's as a tensor ``(channels, height, width)`` of the same numbers."""

    def takes(self, x: Any) -> bool:
        """Images of Pillow's."""
        return is_pil_image(x)

    def change(self, img: Any) -> Any:
        """The tensor."""
        return F.pil_to_tensor(img)


class ToPILImage(Conversion):
    """A tensor ``([channels,] height, width)`` or an array ``(height, width[, channels])`` as an image of Pillow's.

    Args:
        mode: Pillow's name for what the channels are; guessed from their number and dtype by default.
    """

    def __init__(self, mode: str | None = None) -> None:
        super().__init__()
        self.mode = mode

    def takes(self, x: Any) -> bool:
        """Tensors and arrays of two or three dimensions."""
        return isinstance(x, (np.ndarray, mg.Tensor)) and x.ndim in (2, 3)

    def change(self, img: Any) -> Any:
        """The image."""
        return F.to_pil_image(img, self.mode)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return "" if self.mode is None else f"mode={self.mode}"


class ConvertImageDtype(ImageTransform):
    """A tensor's colours as numbers of another dtype: from 0 to 255 in uint8, from 0 to 1 in floating point.

    Args:
        dtype: the dtype.
    """

    def __init__(self, dtype: Any = mg.float32) -> None:
        super().__init__()
        self.dtype = dtype

    def change(self, img: Any) -> Any:
        """The tensor in that dtype."""
        return F.convert_image_dtype(img, self.dtype)


class Normalize(ImageTransform):
    """``(tensor - mean) / std``, of a tensor ``(..., channels, height, width)`` of floating point.

    Args:
        mean, std: a number for each channel.
        inplace: write into the tensor.
    """

    def __init__(self, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> None:
        super().__init__()
        self.mean, self.std, self.inplace = mean, std, inplace

    def change(self, img: Any) -> Any:
        """The tensor normalized."""
        return F.normalize(img, self.mean, self.std, self.inplace)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"mean={self.mean}, std={self.std}"


class LinearTransformation(ImageTransform):
    """``(flattened tensor - mean_vector) @ transformation_matrix``, in the shape of the tensor; for whitening.

    Args:
        transformation_matrix: ``(n, n)``, with ``n = channels * height * width``.
        mean_vector: ``(n,)``.
    """

    def __init__(self, transformation_matrix: Any, mean_vector: Any) -> None:
        super().__init__()
        sizes, n = tuple(transformation_matrix.shape), mean_vector.shape[0]
        if len(sizes) != 2 or sizes[0] != sizes[1]:
            raise InvalidValueError(f"transformation_matrix should be square. Got {sizes} rectangular matrix.")
        if n != sizes[0]:
            raise InvalidValueError(f"mean_vector should have the same length {n} as any one of the dimensions of the "
                                    f"transformation_matrix {sizes}")
        if transformation_matrix.device != mean_vector.device:
            raise InvalidValueError(f"Input tensors should be on the same device. Got {transformation_matrix.device} and "
                                    f"{mean_vector.device}")
        if transformation_matrix.dtype != mean_vector.dtype:
            raise InvalidValueError(f"Input tensors should have the same dtype. Got {transformation_matrix.dtype} and "
                                    f"{mean_vector.dtype}")
        self.transformation_matrix, self.mean_vector = transformation_matrix, mean_vector

    def change(self, img: Any) -> Any:
        """The tensor transformed."""
        n = self.mean_vector.shape[0]
        if math.prod(img.shape[-3:]) != n:
            raise InvalidValueError("Input tensor and transformation matrix have incompatible shape. "
                                    f"{' x '.join(map(str, img.shape[-3:]))} != {n}")
        if img.device.type != self.mean_vector.device.type:
            raise InvalidValueError("Input tensor should be on the same device as transformation matrix and mean vector. Got "
                                    f"{img.device} vs {self.mean_vector.device}")
        flat = img.reshape(-1, n) - self.mean_vector
        return (flat @ self.transformation_matrix.to(flat.dtype)).reshape(img.shape)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"transformation_matrix={self.transformation_matrix.tolist()}, mean_vector={self.mean_vector.tolist()}"


# ---------------------------------------------------------------------------------------------------- parts and edges

class Resize(ImageTransform):
    """The image in another size.

    Args:
        size: height and width; one number is the shorter side, and the other follows.
        interpolation: how pixels are computed.
        max_size: the longer side is at most this; only where `size` is one number.
        antialias: average over what becomes one pixel, where the image becomes smaller; Pillow always does.
    """

    def __init__(self, size: Any, interpolation: Any = InterpolationMode.BILINEAR, max_size: int | None = None,
                 antialias: bool | None = True) -> None:
        super().__init__()
        if not isinstance(size, (int, Sequence)):
            raise ArgumentError(f"Size should be int or sequence. Got {type(size)}")
        if isinstance(size, Sequence) and len(size) not in (1, 2):
            raise InvalidValueError(f"If size is a sequence, it should have 1 or 2 values. Got {size!r}")
        self.size, self.max_size, self.antialias = size, max_size, antialias
        self.interpolation = F._interpolation_mode(interpolation)

    def change(self, img: Any) -> Any:
        """The image in that size."""
        return F.resize(img, self.size, self.interpolation, self.max_size, self.antialias)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return (f"size={self.size}, interpolation={self.interpolation.value}, max_size={self.max_size}, "
                f"antialias={self.antialias}")


class Crop(ImageTransform):
    """A part of the image of a given size."""

    def __init__(self, size: Any) -> None:
        super().__init__()
        self.size = size_of(size)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"size={self.size}"


class CenterCrop(Crop):
    """The middle of the image; black where that is outside.

    Args:
        size: height and width, or one number for both.
    """

    def change(self, img: Any) -> Any:
        """The middle."""
        return F.center_crop(img, self.size)


class FiveCrop(Crop):
    """The four corners and the middle of the image, as a tuple.

    Args:
        size: height and width, or one number for both.
    """

    def change(self, img: Any) -> Any:
        """The five images."""
        return F.five_crop(img, self.size)


class TenCrop(Crop):
    """What :class:`FiveCrop` gives of the image and of its mirror image, as a tuple.

    Args:
        size: height and width, or one number for both.
        vertical_flip: upside down instead of mirrored.
    """

    def __init__(self, size: Any, vertical_flip: bool = False) -> None:
        super().__init__(size)
        self.vertical_flip = vertical_flip

    def change(self, img: Any) -> Any:
        """The ten images."""
        return F.ten_crop(img, self.size, self.vertical_flip)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"size={self.size}, vertical_flip={self.vertical_flip}"


class Pad(ImageTransform):
    """The image with edges around it.

    Args:
        padding: how many pixels: a number, or (left and right, top and bottom), or (left, top, right, bottom).
        fill: the colour of the edges.
        padding_mode: "constant", "edge", "reflect" or "symmetric".
    """

    def __init__(self, padding: Any, fill: Any = 0, padding_mode: str = "constant") -> None:
        super().__init__()
        if not isinstance(padding, (int, tuple, list)):
            raise ArgumentError(f"Got inappropriate padding arg: {padding!r}; expected a number or a sequence")
        if not isinstance(fill, (Real, tuple, list)):
            raise ArgumentError(f"Got inappropriate fill arg: {fill!r}; expected a number or a sequence")
        if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
            raise InvalidValueError(f"Padding mode should be either constant, edge, reflect or symmetric, got {padding_mode!r}")
        if isinstance(padding, Sequence) and len(padding) not in (1, 2, 4):
            raise InvalidValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(padding)} element tuple")
        self.padding, self.fill, self.padding_mode = padding, fill, padding_mode

    def change(self, img: Any) -> Any:
        """The image with edges."""
        return F.pad(img, self.padding, self.fill, self.padding_mode)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"padding={self.padding}, fill={self.fill}, padding_mode={self.padding_mode}"


class RandomCrop(ImageTransform):
    """A part of the image, anywhere in it.

    Args:
        size: height and width, or one number for both.
        padding: edges to put around the image first, as in :class:`Pad`.
        pad_if_needed: put edges on both sides where the image is smaller than the part.
        fill, padding_mode: as in :class:`Pad`.
    """

    def __init__(self, size: Any, padding: Any = None, pad_if_needed: bool = False, fill: Any = 0,
                 padding_mode: str = "constant") -> None:
        super().__init__()
        self.size = tuple(size_of(size))
        self.padding, self.pad_if_needed, self.fill, self.padding_mode = padding, pad_if_needed, fill, padding_mode

    @staticmethod
    def get_params(img: Any, output_size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Top, left, height and width of a part of that size. Raises ``ValueError`` where the image is smaller."""
        _, h, w = F.get_dimensions(img)
        return RandomCrop.place(h, w, output_size)

    @staticmethod
    def place(h: int, w: int, size: tuple[int, ...]) -> tuple[int, int, int, int]:
        """The same for an image of this height and width."""
        height, width = size
        if h < height or w < width:
            raise InvalidValueError(f"Required crop size {(height, width)} is larger than input image size {(h, w)}")
        if (h, w) == (height, width):
            return 0, 0, h, w
        return whole(0, h - height + 1), whole(0, w - width + 1), height, width

    def edges(self, img: Any) -> list[list[int]]:
        """What to put around the image, in turn: left, top, right, bottom."""
        _, h, w = F.get_dimensions(img)
        found = []
        if self.padding is not None:
            sides = [self.padding] if isinstance(self.padding, int) else list(self.padding)
            left, top, right, bottom = sides * (4 // len(sides))
            found.append([left, top, right, bottom])
            h, w = h + top + bottom, w + left + right
        if self.pad_if_needed:
            across, down = max(self.size[1] - w, 0), max(self.size[0] - h, 0)
            found += [edge for edge in ([across, 0, across, 0], [0, down, 0, down]) if any(edge)]
        return found

    def draw(self, img: Any) -> tuple[Any, ...]:
        """The edges, and the place of the part."""
        edges = self.edges(img)
        _, h, w = F.get_dimensions(img)
        h, w = h + sum(top + bottom for _, top, _, bottom in edges), w + sum(left + right for left, _, right, _ in edges)
        return edges, *self.place(h, w, self.size)

    def change(self, img: Any, edges: Any, top: int, left: int, height: int, width: int) -> Any:
        """The part at that place."""
        for edge in edges:
            img = F.pad(img, edge, self.fill, self.padding_mode)
        return F.crop(img, top, left, height, width)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"size={self.size}, padding={self.padding}"


class RandomResizedCrop(ImageTransform):
    """A part of the image of random size and proportions, in a given size: the usual way to train on photographs.

    Args:
        size: height and width of the result, or one number for both.
        scale: bounds of the part's share of the area.
        ratio: bounds of its width by its height.
        interpolation, antialias: as in :class:`Resize`.
    """

    def __init__(self, size: Any, scale: Sequence[float] = (0.08, 1.0), ratio: Sequence[float] = (3.0 / 4.0, 4.0 / 3.0),
                 interpolation: Any = InterpolationMode.BILINEAR, antialias: bool | None = True) -> None:
        super().__init__()
        self.size = size_of(size)
        require_bounds(scale, ratio)
        self.scale, self.ratio, self.antialias = scale, ratio, antialias
        self.interpolation = F._interpolation_mode(interpolation)

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float]) -> tuple[int, int, int, int]:
        """Top, left, height and width of a part; the largest one in the middle where ten draws found none."""
        _, height, width = F.get_dimensions(img)
        for h, w in shapes_of_parts(height, width, scale, ratio):
            if 0 < w <= width and 0 < h <= height:
                return whole(0, height - h + 1), whole(0, width - w + 1), h, w
        h, w = height, width
        if width / height < min(ratio):
            h = int(round(width / min(ratio)))
        elif width / height > max(ratio):
            w = int(round(height * max(ratio)))
        return (height - h) // 2, (width - w) // 2, h, w

    def draw(self, img: Any) -> tuple[Any, ...]:
        """The place of the part, and its size."""
        return self.get_params(img, self.scale, self.ratio)

    def change(self, img: Any, top: int, left: int, height: int, width: int) -> Any:
        """That part in the size of the result."""
        return F.resized_crop(img, top, left, height, width, self.size, self.interpolation, self.antialias)

    def details(self) -> str:
        """The settings, for ``repr``."""
        scale, ratio = (tuple(round(bound, 4) for bound in bounds) for bounds in (self.scale, self.ratio))
        return (f"size={self.size}, scale={scale}, ratio={ratio}, "
                f"interpolation={self.interpolation.value}, antialias={self.antialias}")


def require_bounds(scale: Any, ratio: Any) -> None:
    """Raise, or warn, where these are no bounds."""
    for name, bounds in (("Scale", scale), ("Ratio", ratio)):
        if not isinstance(bounds, Sequence):
            raise ArgumentError(f"{name} should be a sequence, got {bounds!r}")
    if scale[0] > scale[1] or ratio[0] > ratio[1]:
        warnings.warn(f"Scale and ratio should be of kind (min, max), got {scale} and {ratio}", stacklevel=3)


def shapes_of_parts(height: int, width: int, scale: Sequence[float], ratio: Sequence[float]) -> Any:
    """Ten draws of height and width, by their share of the area and by width over height."""
    low, high = mg.log(mg.tensor([float(r) for r in ratio])).tolist()
    for _ in range(10):
        area = height * width * uniform(scale[0], scale[1])
        proportion = mg.exp(mg.empty(1).uniform_(low, high)).item()
        yield int(round(math.sqrt(area / proportion))), int(round(math.sqrt(area * proportion)))


class RandomErasing(RandomImageTransform):
    """A tensor with a rectangle erased, with the probability `p` (Zhong and others, https://arxiv.org/abs/1708.04896).

    Args:
        p: the probability.
        scale: bounds of the rectangle's share of the area.
        ratio: bounds of its height by its width.
        value: its colour, a number or one for each channel; "random" for noise.
        inplace: write into the tensor.
    """

    def __init__(self, p: float = 0.5, scale: Sequence[float] = (0.02, 0.33), ratio: Sequence[float] = (0.3, 3.3), value: Any = 0,
                 inplace: bool = False) -> None:
        super().__init__(p)
        if not isinstance(value, (Real, str, tuple, list)):
            raise ArgumentError(f"Argument value should be either a number or str or a sequence, got {value!r}")
        if isinstance(value, str) and value != "random":
            raise InvalidValueError(f"If value is str, it should be 'random', got {value!r}")
        require_bounds(scale, ratio)
        if scale[0] < 0 or scale[1] > 1:
            raise InvalidValueError(f"Scale should be between 0 and 1, got {scale}")
        if not 0 <= p <= 1:
            raise InvalidValueError(f"Random erasing probability should be between 0 and 1, got {p}")
        self.scale, self.ratio, self.value, self.inplace = scale, ratio, value, inplace

    @staticmethod
    def get_params(img: Any, scale: Sequence[float], ratio: Sequence[float],
                   value: Sequence[float] | None = None) -> tuple[int, int, int, int, Any]:
        """Top, left, height, width and content of a rectangle; the whole image as it is where ten draws found none."""
        channels, height, width = F.get_dimensions(img)
        for w, h in shapes_of_parts(width, height, scale, ratio):
            if h < height and w < width:
                v = mg.empty(channels, h, w).normal_() if value is None else mg.tensor(value)[:, None, None]
                return whole(0, height - h + 1), whole(0, width - w + 1), h, w, v
        return 0, 0, height, width, img

    def draw(self, img: Any) -> tuple[Any, ...]:
        """The rectangle, or nothing."""
        if not chance(self.p):
            return ()
        if self.value == "random":
            value = None
        else:
            value = [float(v) for v in (self.value if isinstance(self.value, (tuple, list)) else [self.value])]
            channels = F.get_dimensions(img)[0]
            if len(value) not in (1, channels):
                raise InvalidValueError(f"If value is a sequence, it should have either a single value or {channels} (number of "
                                        f"input channels), got {self.value}")
        return self.get_params(img, self.scale, self.ratio, value)

    def change(self, img: Any, *rectangle: Any) -> Any:
        """The tensor without that rectangle."""
        if not rectangle:
            return img
        i, j, h, w, v = rectangle
        return F.erase(img, i, j, h, w, v, self.inplace)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"p={self.p}, scale={self.scale}, ratio={self.ratio}, value={self.value}, inplace={self.inplace}"


# ---------------------------------------------------------------------------------------------------- places

class RandomHorizontalFlip(RandomImageTransform):
    """The image mirrored, left and right, with the probability `p`.

    Args:
        p: the probability.
    """

    def changed(self, img: Any) -> Any:
        """The image mirrored."""
        return F.hflip(img)


class RandomVerticalFlip(RandomImageTransform):
    """The image upside down, with the probability `p`.

    Args:
        p: the probability.
    """

    def changed(self, img: Any) -> Any:
        """The image upside down."""
        return F.vflip(img)


class RandomRotation(ImageTransform):
    """The image turned by a random angle.

    Args:
        degrees: bounds of the angle; one number is for -degrees to degrees.
        interpolation, expand, center, fill: as in :func:`~minigrad.vision.transforms.functional.rotate`.
    """

    def __init__(self, degrees: Any, interpolation: Any = InterpolationMode.NEAREST, expand: bool = False, center: Any = None,
                 fill: Any = 0) -> None:
        super().__init__()
        self.degrees = range_of(degrees, "degrees")
        if center is not None:
            require_sequence(center, "center")
        self.interpolation, self.expand, self.center = F._interpolation_mode(interpolation), expand, center
        self.fill = fill_of(fill)

    @staticmethod
    def get_params(degrees: Sequence[float]) -> float:
        """An angle between the bounds."""
        return uniform(degrees[0], degrees[1])

    def draw(self, img: Any) -> tuple[Any, ...]:
        """The angle."""
        return (self.get_params(self.degrees),)

    def change(self, img: Any, angle: float) -> Any:
        """The image turned by it."""
        return F.rotate(img, angle, self.interpolation, self.expand, self.center, self.fill)

    def details(self) -> str:
        """The settings, for ``repr``."""
        center = "" if self.center is None else f", center={self.center}"
        return f"degrees={self.degrees}, interpolation={self.interpolation.value}, expand={self.expand}{center}, fill={self.fill}"


class RandomAffine(ImageTransform):
    """The image turned, moved, scaled and sheared at random.

    Args:
        degrees: bounds of the angle; one number is for -degrees to degrees.
        translate: the largest moves, as shares of the width and of the height.
        scale: bounds of the factor.
        shear: bounds of the degrees along x, or along x and y; one number is for -shear to shear along x.
        interpolation, fill, center: as in :func:`~minigrad.vision.transforms.functional.affine`.
    """

    def __init__(self, degrees: Any, translate: Any = None, scale: Any = None, shear: Any = None,
                 interpolation: Any = InterpolationMode.NEAREST, fill: Any = 0, center: Any = None) -> None:
        super().__init__()
        self.degrees = range_of(degrees, "degrees")
        if translate is not None:
            require_sequence(translate, "translate")
            if not all(0.0 <= t <= 1.0 for t in translate):
                raise InvalidValueError(f"translation values should be between 0 and 1, got {translate}")
        if scale is not None:
            require_sequence(scale, "scale")
            if not all(s > 0 for s in scale):
                raise InvalidValueError(f"scale values should be positive, got {scale}")
        if center is not None:
            require_sequence(center, "center")
        self.translate, self.scale, self.center = translate, scale, center
        self.shear = None if shear is None else range_of(shear, "shear", (2, 4))
        self.interpolation, self.fill = F._interpolation_mode(interpolation), fill_of(fill)

    @staticmethod
    def get_params(degrees: Sequence[float], translate: Sequence[float] | None, scale_ranges: Sequence[float] | None,
                   shears: Sequence[float] | None,
                   img_size: Sequence[int]) -> tuple[float, tuple[int, int], float, tuple[float, float]]:
        """Angle, translation, scale and shear between the bounds, for an image of this width and height."""
        angle = uniform(degrees[0], degrees[1])
        tx, ty = ([int(round(uniform(-t * size, t * size))) for t, size in zip(translate, img_size)] if translate is not None
                  else [0, 0])
        scale = 1.0 if scale_ranges is None else uniform(scale_ranges[0], scale_ranges[1])
        shear_x = 0.0 if shears is None else uniform(shears[0], shears[1])
        shear_y = 0.0 if shears is None or len(shears) == 2 else uniform(shears[2], shears[3])
        return angle, (tx, ty), scale, (shear_x, shear_y)

    def draw(self, img: Any) -> Any:
        """Angle, translation, scale and shear."""
        return self.get_params(self.degrees, self.translate, self.scale, self.shear, F.get_image_size(img))

    def change(self, img: Any, angle: float, translate: Any, scale: float, shear: Any) -> Any:
        """The image moved by them."""
        return F.affine(img, angle, translate, scale, shear, self.interpolation, self.fill, self.center)

    def details(self) -> str:
        """The settings, for ``repr``."""
        shown = [f"degrees={self.degrees}"]
        for name in ("translate", "scale", "shear"):
            if (value := getattr(self, name)) is not None:
                shown.append(f"{name}={value}")
        if self.interpolation is not InterpolationMode.NEAREST:
            shown.append(f"interpolation={self.interpolation.value}")
        if self.fill != 0:
            shown.append(f"fill={self.fill}")
        if self.center is not None:
            shown.append(f"center={self.center}")
        return ", ".join(shown)


class RandomPerspective(RandomImageTransform):
    """The image seen from a random side, with the probability `p`.

    Args:
        distortion_scale: how far the corners move, from 0 to 1.
        p: the probability.
        interpolation, fill: as in :func:`~minigrad.vision.transforms.functional.perspective`.
    """

    def __init__(self, distortion_scale: float = 0.5, p: float = 0.5, interpolation: Any = InterpolationMode.BILINEAR,
                 fill: Any = 0) -> None:
        super().__init__(p)
        self.distortion_scale = distortion_scale
        self.interpolation, self.fill = F._interpolation_mode(interpolation), fill_of(fill)

    @staticmethod
    def get_params(width: int, height: int, distortion_scale: float) -> tuple[list[list[int]], list[list[int]]]:
        """The corners of an image of this size, and where they go."""
        right, bottom = width - 1, height - 1
        x, y = int(distortion_scale * (width // 2)), int(distortion_scale * (height // 2))
        top_left = [whole(0, x + 1), whole(0, y + 1)]
        top_right = [whole(right - x, width), whole(0, y + 1)]
        bottom_right = [whole(right - x, width), whole(bottom - y, height)]
        bottom_left = [whole(0, x + 1), whole(bottom - y, height)]
        return [[0, 0], [right, 0], [right, bottom], [0, bottom]], [top_left, top_right, bottom_right, bottom_left]

    def draw(self, img: Any) -> tuple[Any, ...]:
        """Where the corners go, or nothing."""
        if not chance(self.p):
            return ()
        width, height = F.get_image_size(img)
        return self.get_params(width, height, self.distortion_scale)

    def change(self, img: Any, *corners: Any) -> Any:
        """The image with its corners there."""
        if not corners:
            return img
        startpoints, endpoints = corners
        return F.perspective(img, startpoints, endpoints, self.interpolation, self.fill)


class ElasticTransform(ImageTransform):
    """The image as if it were seen through uneven glass: each pixel from a place beside it.

    Args:
        alpha: how far it is moved, across and down, or one number for both.
        sigma: how smoothly, across and down, or one number for both.
        interpolation, fill: as in :func:`~minigrad.vision.transforms.functional.elastic_transform`.
    """

    def __init__(self, alpha: Any = 50.0, sigma: Any = 5.0, interpolation: Any = InterpolationMode.BILINEAR,
                 fill: Any = 0) -> None:
        super().__init__()
        self.alpha, self.sigma = self.floats(alpha, "alpha"), self.floats(sigma, "sigma")
        self.interpolation = F._interpolation_mode(interpolation)
        if not isinstance(fill, (Real, list, tuple)):
            raise ArgumentError(f"fill should be int or float or a list or tuple of them. Got {fill!r}")
        self.fill = [float(f) for f in (fill if isinstance(fill, (list, tuple)) else [fill])]

    @staticmethod
    def floats(x: Any, name: str) -> list[float]:
        """Two numbers, from one or two."""
        values = [x, x] if isinstance(x, float) else x
        if not isinstance(values, Sequence) or not all(isinstance(value, float) for value in values):
            raise ArgumentError(f"{name} should be float or a sequence of floats. Got {x!r}")
        if len(values) not in (1, 2):
            raise InvalidValueError(f"If {name} is a sequence its length should be 2. Got {x!r}")
        return [values[0], values[-1]]

    @staticmethod
    def get_params(alpha: Sequence[float], sigma: Sequence[float], size: Sequence[int]) -> Any:
        """How far each pixel of an image of this height and width is moved: ``(1, height, width, 2)``."""
        moves = []
        for far, smooth, side in zip(alpha, sigma, (size[1], size[0])):
            move = mg.rand(1, 1, *size) * 2 - 1
            if smooth > 0:
                reach = int(8 * smooth + 1)
                reach += reach % 2 == 0
                move = F.gaussian_blur(move, [reach, reach], sigma)
            moves.append(move * far / side)
        return mg.cat(moves, 1).permute(0, 2, 3, 1)

    def draw(self, img: Any) -> tuple[Any, ...]:
        """How far each pixel is moved."""
        _, height, width = F.get_dimensions(img)
        return (self.get_params(self.alpha, self.sigma, [height, width]),)

    def change(self, img: Any, displacement: Any) -> Any:
        """The image with its pixels moved."""
        return F.elastic_transform(img, displacement, self.interpolation, self.fill)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"alpha={self.alpha}, sigma={self.sigma}, interpolation={self.interpolation}, fill={self.fill}"


# ---------------------------------------------------------------------------------------------------- colours

class ColorJitter(ImageTransform):
    """The image with its brightness, contrast, saturation and hue changed at random, in random order.

    Args:
        brightness, contrast, saturation: bounds of the factors; one number x is for ``max(0, 1 - x)`` to ``1 + x``.
        hue: bounds of the turn, within -0.5 to 0.5; one number x is for -x to x.
    """

    def __init__(self, brightness: Any = 0, contrast: Any = 0, saturation: Any = 0, hue: Any = 0) -> None:
        super().__init__()
        self.brightness = self.bounds(brightness, "brightness")
        self.contrast = self.bounds(contrast, "contrast")
        self.saturation = self.bounds(saturation, "saturation")
        self.hue = self.bounds(hue, "hue", 0.0, -0.5, 0.5)

    @staticmethod
    def bounds(value: Any, name: str, middle: float = 1.0, least: float = 0.0, most: float = math.inf) -> Any:
        """The bounds of a draw, or None where it would change nothing."""
        if isinstance(value, Real):
            if value < 0:
                raise InvalidValueError(f"If {name} is a single number, it must be non negative. Got {value}")
            low, high = middle - float(value), middle + float(value)
            low = max(low, 0.0) if least == 0.0 else low
        elif isinstance(value, (tuple, list)) and len(value) == 2:
            low, high = float(value[0]), float(value[1])
        else:
            raise ArgumentError(f"{name} should be a single number or a list/tuple with length 2. Got {value!r}")
        if not least <= low <= high <= most:
            raise InvalidValueError(f"{name} values should be between {(least, most)}, but got {[low, high]}.")
        return None if low == high == middle else (low, high)

    @staticmethod
    def get_params(brightness: Any, contrast: Any, saturation: Any, hue: Any) -> tuple[Any, Any, Any, Any, Any]:
        """The order of the four changes, and for each its factor, or None where there are no bounds."""
        order = mg.randperm(4)
        b, c, s, h = (None if bounds is None else uniform(*bounds) for bounds in (brightness, contrast, saturation, hue))
        return order, b, c, s, h

    def draw(self, img: Any) -> tuple[Any, ...]:
        """The order and the factors."""
        return self.get_params(self.brightness, self.contrast, self.saturation, self.hue)

    def change(self, img: Any, order: Any, *factors: Any) -> Any:
        """The image with its colours changed."""
        changes = (F.adjust_brightness, F.adjust_contrast, F.adjust_saturation, F.adjust_hue)
        for i in order.tolist():
            if factors[i] is not None:
                img = changes[i](img, factors[i])
        return img

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"brightness={self.brightness}, contrast={self.contrast}, saturation={self.saturation}, hue={self.hue}"


class Grayscale(ImageTransform):
    """The image in gray.

    Args:
        num_output_channels: 1, or 3 for the same channel thrice.
    """

    def __init__(self, num_output_channels: int = 1) -> None:
        super().__init__()
        self.num_output_channels = num_output_channels

    def change(self, img: Any) -> Any:
        """The image in gray."""
        return F.rgb_to_grayscale(img, self.num_output_channels)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"num_output_channels={self.num_output_channels}"


class RandomGrayscale(RandomImageTransform):
    """The image in gray, in as many channels as it has, with the probability `p`.

    Args:
        p: the probability.
    """

    def __init__(self, p: float = 0.1) -> None:
        super().__init__(p)

    def changed(self, img: Any) -> Any:
        """The image in gray."""
        return F.rgb_to_grayscale(img, F.get_image_num_channels(img))


class GaussianBlur(ImageTransform):
    """The image blurred by a Gaussian of random width.

    Args:
        kernel_size: how many pixels it reaches, across and down, or one number for both; odd.
        sigma: bounds of its standard deviation in pixels, or one number.
    """

    def __init__(self, kernel_size: Any, sigma: Any = (0.1, 2.0)) -> None:
        super().__init__()
        self.kernel_size = size_of(kernel_size, "Kernel size should be a tuple/list of two integers.")
        if any(size <= 0 or size % 2 == 0 for size in self.kernel_size):
            raise InvalidValueError(f"Kernel size value should be an odd and positive number. Got {kernel_size}")
        if isinstance(sigma, Real):
            if sigma <= 0:
                raise InvalidValueError(f"If sigma is a single number, it must be positive. Got {sigma}")
            sigma = (sigma, sigma)
        elif not isinstance(sigma, Sequence) or len(sigma) != 2:
            raise InvalidValueError(f"sigma should be a single number or a list/tuple with length 2. Got {sigma!r}")
        elif not 0.0 < sigma[0] <= sigma[1]:
            raise InvalidValueError(f"sigma values should be positive and of the form (min, max). Got {sigma}")
        self.sigma = sigma

    @staticmethod
    def get_params(sigma_min: float, sigma_max: float) -> float:
        """A standard deviation between the bounds."""
        return uniform(sigma_min, sigma_max)

    def draw(self, img: Any) -> tuple[Any, ...]:
        """The standard deviation."""
        return (self.get_params(self.sigma[0], self.sigma[1]),)

    def change(self, img: Any, sigma: float) -> Any:
        """The image blurred by it."""
        return F.gaussian_blur(img, self.kernel_size, [sigma, sigma])

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"kernel_size={self.kernel_size}, sigma={self.sigma}"


class RandomInvert(RandomImageTransform):
    """The negative of the image, with the probability `p`.

    Args:
        p: the probability.
    """

    def changed(self, img: Any) -> Any:
        """The negative."""
        return F.invert(img)


class RandomPosterize(RandomImageTransform):
    """The image, of uint8, with only some bits of each colour, with the probability `p`.

    Args:
        bits: how many bits to keep, from 0 to 8.
        p: the probability.
    """

    def __init__(self, bits: int, p: float = 0.5) -> None:
        super().__init__(p)
        self.bits = bits

    def changed(self, img: Any) -> Any:
        """The image with that many bits."""
        return F.posterize(img, self.bits)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"bits={self.bits},p={self.p}"


class RandomSolarize(RandomImageTransform):
    """The image with the negative of its bright colours, with the probability `p`.

    Args:
        threshold: from which colour on.
        p: the probability.
    """

    def __init__(self, threshold: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.threshold = threshold

    def changed(self, img: Any) -> Any:
        """The image with that negative."""
        return F.solarize(img, self.threshold)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"threshold={self.threshold},p={self.p}"


class RandomAdjustSharpness(RandomImageTransform):
    """The image sharpened, with the probability `p`.

    Args:
        sharpness_factor: 0 smooths it, 1 leaves it, 2 makes it twice as sharp.
        p: the probability.
    """

    def __init__(self, sharpness_factor: float, p: float = 0.5) -> None:
        super().__init__(p)
        self.sharpness_factor = sharpness_factor

    def changed(self, img: Any) -> Any:
        """The image sharpened."""
        return F.adjust_sharpness(img, self.sharpness_factor)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"sharpness_factor={self.sharpness_factor},p={self.p}"


class RandomAutocontrast(RandomImageTransform):
    """The image with each channel stretched from black to white, with the probability `p`.

    Args:
        p: the probability.
    """

    def changed(self, img: Any) -> Any:
        """The image with channels stretched."""
        return F.autocontrast(img)


class RandomEqualize(RandomImageTransform):
    """The image, of uint8, with each channel's colours about equally frequent, with the probability `p`.

    Args:
        p: the probability.
    """

    def changed(self, img: Any) -> Any:
        """The image with channels equalized."""
        return F.equalize(img)
