"""Ways to change images at random that were found to train well: several changes in turn, each of some strength."""

from __future__ import annotations

import math
from enum import Enum
from typing import Any, Callable, Iterator

import minigrad as mg
from minigrad.errors import InvalidValueError
from minigrad.vision.transforms import functional as F
from minigrad.vision.transforms.functional import InterpolationMode
from minigrad.vision.transforms.transforms import ImageTransform, whole

__all__ = ["AugMix", "AutoAugment", "AutoAugmentPolicy", "RandAugment", "TrivialAugmentWide"]


class AutoAugmentPolicy(Enum):
    """The data for which a list of changes was found.

    >>> AutoAugmentPolicy.CIFAR10.value
    'cifar10'
    """

    IMAGENET = "imagenet"
    CIFAR10 = "cifar10"
    SVHN = "svhn"


# The policies of Cubuk and others, https://arxiv.org/abs/1805.09501, appendix A: pairs of changes, each with its probability
# and, where it has one, its strength from 0 to 9.
POLICIES = {
    AutoAugmentPolicy.IMAGENET: """
        Posterize 0.4 8 + Rotate 0.6 9, Solarize 0.6 5 + AutoContrast 0.6, Equalize 0.8 + Equalize 0.6,
        Posterize 0.6 7 + Posterize 0.6 6, Equalize 0.4 + Solarize 0.2 4, Equalize 0.4 + Rotate 0.8 8,
        Solarize 0.6 3 + Equalize 0.6, Posterize 0.8 5 + Equalize 1.0, Rotate 0.2 3 + Solarize 0.6 8,
        Equalize 0.6 + Posterize 0.4 6, Rotate 0.8 8 + Color 0.4 0, Rotate 0.4 9 + Equalize 0.6, Equalize 0.0 + Equalize 0.8,
        Invert 0.6 + Equalize 1.0, Color 0.6 4 + Contrast 1.0 8, Rotate 0.8 8 + Color 1.0 2, Color 0.8 8 + Solarize 0.8 7,
        Sharpness 0.4 7 + Invert 0.6, ShearX 0.6 5 + Equalize 1.0, Color 0.4 0 + Equalize 0.6, Equalize 0.4 + Solarize 0.2 4,
        Solarize 0.6 5 + AutoContrast 0.6, Invert 0.6 + Equalize 1.0, Color 0.6 4 + Contrast 1.0 8,
        Equalize 0.8 + Equalize 0.6
    """,
    AutoAugmentPolicy.CIFAR10: """
        Invert 0.1 + Contrast 0.2 6, Rotate 0.7 2 + TranslateX 0.3 9, Sharpness 0.8 1 + Sharpness 0.9 3,
        ShearY 0.5 8 + TranslateY 0.7 9, AutoContrast 0.5 + Equalize 0.9, ShearY 0.2 7 + Posterize 0.3 7,
        Color 0.4 3 + Brightness 0.6 7, Sharpness 0.3 9 + Brightness 0.7 9, Equalize 0.6 + Equalize 0.5,
        Contrast 0.6 7 + Sharpness 0.6 5, Color 0.7 7 + TranslateX 0.5 8, Equalize 0.3 + AutoContrast 0.4,
        TranslateY 0.4 3 + Sharpness 0.2 6, Brightness 0.9 6 + Color 0.2 8, Solarize 0.5 2 + Invert 0.0,
        Equalize 0.2 + AutoContrast 0.6, Equalize 0.2 + Equalize 0.6, Color 0.9 9 + Equalize 0.6,
        AutoContrast 0.8 + Solarize 0.2 8, Brightness 0.1 3 + Color 0.7 0, Solarize 0.4 5 + AutoContrast 0.9,
        TranslateY 0.9 9 + TranslateY 0.7 9, AutoContrast 0.9 + Solarize 0.8 3, Equalize 0.8 + Invert 0.1,
        TranslateY 0.7 9 + AutoContrast 0.9
    """,
    AutoAugmentPolicy.SVHN: """
        ShearX 0.9 4 + Invert 0.2, ShearY 0.9 8 + Invert 0.7, Equalize 0.6 + Solarize 0.6 6, Invert 0.9 + Equalize 0.6,
        Equalize 0.6 + Rotate 0.9 3, ShearX 0.9 4 + AutoContrast 0.8, ShearY 0.9 8 + Invert 0.4,
        ShearY 0.9 5 + Solarize 0.2 6, Invert 0.9 + AutoContrast 0.8, Equalize 0.6 + Rotate 0.9 3,
        ShearX 0.9 4 + Solarize 0.3 3, ShearY 0.8 8 + Invert 0.7, Equalize 0.9 + TranslateY 0.6 6, Invert 0.9 + Equalize 0.6,
        Contrast 0.3 3 + Rotate 0.8 4, Invert 0.8 + TranslateY 0.0 2, ShearY 0.7 6 + Solarize 0.4 8,
        Invert 0.6 + Rotate 0.8 4, ShearY 0.3 7 + TranslateX 0.9 3, ShearX 0.1 6 + Invert 0.6,
        Solarize 0.7 2 + TranslateY 0.6 7, ShearY 0.8 4 + Invert 0.8, ShearX 0.7 9 + TranslateY 0.8 3,
        ShearY 0.8 5 + AutoContrast 0.7, ShearX 0.7 2 + Invert 0.1
    """,
}


def policy_of(text: str) -> list[Any]:
    """A policy as pairs of (name, probability, strength or None)."""
    changes = [[change.split() for change in pair.split(" + ")] for pair in text.strip().split(",")]
    return [tuple((words[0], float(words[1]), int(words[2]) if len(words) == 3 else None) for words in pair) for pair in changes]


def apply(img: Any, name: str, strength: float, interpolation: InterpolationMode, fill: Any) -> Any:
    """The image with the change of that name, with as much strength as its unit says."""
    still = {"angle": 0.0, "translate": [0, 0], "scale": 1.0, "shear": [0.0, 0.0], "interpolation": interpolation, "fill": fill}
    if name.startswith("Shear"):
        degrees = math.degrees(math.atan(strength))
        return F.affine(img, **{**still, "shear": [degrees, 0.0] if name == "ShearX" else [0.0, degrees], "center": [0, 0]})
    if name.startswith("Translate"):
        return F.affine(img, **{**still, "translate": [int(strength), 0] if name == "TranslateX" else [0, int(strength)]})
    if name == "Rotate":
        return F.rotate(img, strength, interpolation=interpolation, fill=fill)
    if name in FACTORS:
        return FACTORS[name](img, 1.0 + strength)
    if name == "Posterize":
        return F.posterize(img, int(strength))
    if name == "Solarize":
        return F.solarize(img, strength)
    return WITHOUT_STRENGTH[name](img)


FACTORS = {"Brightness": F.adjust_brightness, "Color": F.adjust_saturation, "Contrast": F.adjust_contrast,
           "Sharpness": F.adjust_sharpness}
WITHOUT_STRENGTH: dict[str, Callable[[Any], Any]] = {"AutoContrast": F.autocontrast, "Equalize": F.equalize, "Invert": F.invert,
                                                            "Identity": lambda img: img}


def changes(bins: int, shear: float = 0.3, translate: tuple[float, float] = (0.0, 0.0), rotate: float = 30.0, factor: float = 0.9,
            bits: tuple[int, int] = (8, 4)) -> dict[str, tuple[list[float] | None, bool]]:
    """The changes by name: their strengths, `bins` from the weakest to the strongest, and whether they go both ways."""
    def up_to(most: float, least: float = 0.0) -> list[float]:
        strengths: list[float] = mg.linspace(least, most, bins).tolist()
        return strengths

    posterize = (bits[0] - (mg.arange(bins) / ((bins - 1) / bits[1])).round()).tolist()
    return {"ShearX": (up_to(shear), True), "ShearY": (up_to(shear), True), "TranslateX": (up_to(translate[0]), True),
            "TranslateY": (up_to(translate[1]), True), "Rotate": (up_to(rotate), True), "Brightness": (up_to(factor), True),
            "Color": (up_to(factor), True), "Contrast": (up_to(factor), True), "Sharpness": (up_to(factor), True),
            "Posterize": (posterize, False), "Solarize": (up_to(0.0, 255.0), False), "AutoContrast": (None, False),
            "Equalize": (None, False)}


def shares_of(width: int, height: int) -> tuple[float, float]:
    """How far an image is moved at most, across and down."""
    return 150.0 / 331.0 * width, 150.0 / 331.0 * height


class Augmentation(ImageTransform):
    """Changes in turn, of which :meth:`draw` chooses names and strengths."""

    def __init__(self, interpolation: Any, fill: Any) -> None:
        super().__init__()
        self.interpolation, self.fill = F._interpolation_mode(interpolation), fill

    def choices(self, img: Any) -> Iterator[tuple[str, float]]:
        """The changes of the next call, with their strengths."""
        raise NotImplementedError(f"{type(self).__name__} has no method 'choices'")

    def draw(self, img: Any) -> tuple[Any, ...]:
        """The changes."""
        return tuple(self.choices(img))

    def change(self, img: Any, *chosen: Any) -> Any:
        """The image changed by all of them."""
        for name, strength in chosen:
            img = apply(img, name, strength, self.interpolation, self.fill)
        return img


class AutoAugment(Augmentation):
    """A random pair of changes from a list that was found for some data (https://arxiv.org/abs/1805.09501).

    Args:
        policy: which list.
        interpolation, fill: as in :func:`~minigrad.vision.transforms.functional.affine`.
    """

    def __init__(self, policy: AutoAugmentPolicy = AutoAugmentPolicy.IMAGENET,
                 interpolation: Any = InterpolationMode.NEAREST, fill: Any = None) -> None:
        super().__init__(interpolation, fill)
        if policy not in POLICIES:
            raise InvalidValueError(f"The provided policy {policy} is not recognized: expected one of {list(POLICIES)}")
        self.policy, self.policies = policy, policy_of(POLICIES[policy])

    @staticmethod
    def get_params(transform_num: int) -> tuple[int, Any, Any]:
        """Which of that many pairs, two numbers from 0 to 1 and two signs."""
        return whole(0, transform_num), mg.rand((2,)), mg.randint(2, (2,))

    def choices(self, img: Any) -> Iterator[tuple[str, float]]:
        """The changes of the next call, with their strengths."""
        pair, chances, signs = self.get_params(len(self.policies))
        table = {**changes(10, translate=shares_of(*F.get_image_size(img))), "Invert": (None, False)}
        for (name, p, bin_), drawn, sign in zip(self.policies[pair], chances.tolist(), signs.tolist()):
            if drawn <= mg.tensor(p).item():
                strengths, signed = table[name]
                strength = 0.0 if strengths is None or bin_ is None else strengths[bin_]
                yield name, -strength if signed and sign == 0 else strength

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"policy={self.policy}, fill={self.fill}"


class RandAugment(Augmentation):
    """Several random changes, all of one strength (https://arxiv.org/abs/1909.13719).

    Args:
        num_ops: how many.
        magnitude: their strength, from 0 to ``num_magnitude_bins - 1``.
        num_magnitude_bins: how many strengths there are.
        interpolation, fill: as in :func:`~minigrad.vision.transforms.functional.affine`.
    """

    def __init__(self, num_ops: int = 2, magnitude: int = 9, num_magnitude_bins: int = 31,
                 interpolation: Any = InterpolationMode.NEAREST, fill: Any = None) -> None:
        super().__init__(interpolation, fill)
        self.num_ops, self.magnitude, self.num_magnitude_bins = num_ops, magnitude, num_magnitude_bins

    def choices(self, img: Any) -> Iterator[tuple[str, float]]:
        """The changes of the next call, with their strengths."""
        table = {"Identity": (None, False), **changes(self.num_magnitude_bins, translate=shares_of(*F.get_image_size(img)))}
        for _ in range(self.num_ops):
            name = list(table)[whole(0, len(table))]
            strengths, signed = table[name]
            strength = 0.0 if strengths is None else strengths[self.magnitude]
            yield name, -strength if signed and whole(0, 2) else strength

    def details(self) -> str:
        """The settings, for ``repr``."""
        return (f"num_ops={self.num_ops}, magnitude={self.magnitude}, num_magnitude_bins={self.num_magnitude_bins}, "
                f"interpolation={self.interpolation}, fill={self.fill}")


class TrivialAugmentWide(Augmentation):
    """One random change of random strength (https://arxiv.org/abs/2103.10158).

    Args:
        num_magnitude_bins: how many strengths there are.
        interpolation, fill: as in :func:`~minigrad.vision.transforms.functional.affine`.
    """

    def __init__(self, num_magnitude_bins: int = 31, interpolation: Any = InterpolationMode.NEAREST, fill: Any = None) -> None:
        super().__init__(interpolation, fill)
        self.num_magnitude_bins = num_magnitude_bins

    def choices(self, img: Any) -> Iterator[tuple[str, float]]:
        """The change of the next call, with its strength."""
        table = {"Identity": (None, False), **changes(self.num_magnitude_bins, 0.99, (32.0, 32.0), 135.0, 0.99, (8, 6))}
        name = list(table)[whole(0, len(table))]
        strengths, signed = table[name]
        strength = 0.0 if strengths is None else strengths[whole(0, len(strengths))]
        yield name, -strength if signed and whole(0, 2) else strength

    def details(self) -> str:
        """The settings, for ``repr``."""
        return f"num_magnitude_bins={self.num_magnitude_bins}, interpolation={self.interpolation}, fill={self.fill}"


class AugMix(ImageTransform):
    """A mixture of the image and of several chains of random changes (https://arxiv.org/abs/1912.02781).

    Args:
        severity: the greatest strength, from 1 to 10.
        mixture_width: how many chains.
        chain_depth: how many changes in each; 1 to 3, at random, where it is not positive.
        alpha: the parameter of the distributions of weights.
        all_ops: brightness, contrast, colour and sharpness, too.
        interpolation, fill: as in :func:`~minigrad.vision.transforms.functional.affine`.
    """

    def __init__(self, severity: int = 3, mixture_width: int = 3, chain_depth: int = -1, alpha: float = 1.0, all_ops: bool = True,
                 interpolation: Any = InterpolationMode.BILINEAR, fill: Any = None) -> None:
        super().__init__()
        if not 1 <= severity <= 10:
            raise InvalidValueError(f"The severity must be between [1, 10]. Got {severity} instead.")
        self.severity, self.mixture_width, self.chain_depth, self.alpha = severity, mixture_width, chain_depth, alpha
        self.all_ops, self.interpolation, self.fill = all_ops, F._interpolation_mode(interpolation), fill

    def draw(self, img: Any) -> tuple[Any, ...]:
        """For each image of a batch its own weight and those of the chains, and the changes of each chain."""
        images = img.shape[0] if isinstance(img, mg.Tensor) and img.ndim > 3 else 1
        own, mixed = mg.distributions.Dirichlet(mg.tensor([self.alpha, self.alpha])).sample((images,)).unbind(1)
        weights = mg.distributions.Dirichlet(mg.full((self.mixture_width,), self.alpha)).sample((images,)) * mixed[:, None]
        _, height, width = F.get_dimensions(img)
        table = changes(10, translate=(width / 3.0, height / 3.0), bits=(4, 4))
        first, factors = list(table)[:5], list(table)[5:9]
        names = [*first, *(name for name in table if name not in first + factors), *(factors if self.all_ops else ())]
        chains = []
        for _ in range(self.mixture_width):
            depth = self.chain_depth if self.chain_depth > 0 else whole(1, 4)
            chain = []
            for _ in range(depth):
                name = names[whole(0, len(names))]
                strengths, signed = table[name]
                strength = 0.0 if strengths is None else strengths[whole(0, self.severity)]
                chain.append((name, -strength if signed and whole(0, 2) else strength))
            chains.append(chain)
        return own, weights, chains

    def change(self, img: Any, own: Any, weights: Any, chains: Any) -> Any:
        """The mixture."""
        if not isinstance(img, mg.Tensor):
            return F.to_pil_image(self.change(F.pil_to_tensor(img), own, weights, chains))
        dims = (-1, *(1,) * (max(img.ndim, 4) - 1))
        batch = img.reshape((1,) * max(4 - img.ndim, 0) + tuple(img.shape))
        mix = own.view(dims).to(img.device) * batch
        for weight, chain in zip(weights.unbind(1), chains):
            changed = batch
            for name, strength in chain:
                changed = apply(changed, name, strength, self.interpolation, self.fill)
            mix = mix + weight.view(dims).to(img.device) * changed
        return mix.reshape(img.shape).to(img.dtype)

    def details(self) -> str:
        """The settings, for ``repr``."""
        return (f"severity={self.severity}, mixture_width={self.mixture_width}, chain_depth={self.chain_depth}, "
                f"alpha={self.alpha}, all_ops={self.all_ops}, interpolation={self.interpolation}, fill={self.fill}")
