"""Transforms: what they do to images of Pillow's and to tensors, against torchvision where it is installed and in numbers."""

from __future__ import annotations

import random
import warnings
from typing import Any, Callable, Iterator
from unittest import mock

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.utils.data import DataLoader
from minigrad.vision import datasets, transforms
from minigrad.vision.transforms import functional as F
from minigrad.vision.transforms import v2
from minigrad.vision.transforms.functional import InterpolationMode
from tests.vision.oracle import torchvision_or_skip

Image = pytest.importorskip("PIL.Image", reason='images need Pillow: pip install "minigrad-numpy[vision]"')


def photograph(height: int = 37, width: int = 53) -> Any:
    """Waves in three colours, with a band of noise."""
    y, x = np.mgrid[0:height, 0:width]
    waves = np.stack([128 + 100 * np.sin(x / 7), 128 + 90 * np.cos(y / 5), 128 + 80 * np.sin((x + y) / 9)], -1)
    image = waves.astype(np.uint8)
    image[5:9] = np.random.default_rng(0).integers(0, 256, image[5:9].shape)
    return image


INPUTS: dict[str, Any] = {
    "photograph": Image.fromarray(photograph()), "gray": Image.fromarray(photograph()[..., 0]),
    "uint8": photograph().transpose(2, 0, 1).copy(), "float32": (photograph().transpose(2, 0, 1) / 255).astype(np.float32),
    "batch": np.random.default_rng(1).integers(0, 256, (2, 3, 20, 24), dtype=np.uint8),
    "one channel": np.random.default_rng(2).random((1, 20, 24)).astype(np.float32)}


# ---------------------------------------------------------------------------------------------------- against torchvision

N, E, B, C = "nearest", "nearest-exact", "bilinear", "bicubic"
CORNERS = [[0, 0], [23, 0], [23, 19], [0, 19]], [[2, 3], [20, 1], [22, 17], [3, 16]]
FUNCTIONS: dict[str, list[tuple[Any, ...]]] = {  # arguments; texts in a dictionary are modes of interpolation
    "resize": [(size, {"interpolation": mode}) for mode in (N, E, B, C, "lanczos", "hamming")
               for size in (10, [16, 20], [60, 70], (90,))] + [(16, {"max_size": 20}), ([16, 20], {"antialias": False})],
    "center_crop": [([20, 30],), ([50, 30],), (60,), ((7,),)], "crop": [(-3, -4, 20, 30), (30, 40, 20, 30), (3, 4, 10, 12)],
    "five_crop": [(15,), ((15, 12),), (100,)], "ten_crop": [([15, 12],), (9, True)], "hflip": [()], "vflip": [()],
    "pad": [(padding, 0, mode) for padding in (3, [2, 4], (1, 2, 3, 4), [3], [-2, -3, 4, 1])
            for mode in ("constant", "edge", "symmetric")]
           + [(3, 7), ([1, 2, 3, 4], 0, "reflect"), (3, 0, "wrap"), ([1, 2, 3],)],
    "rotate": [(angle, {"interpolation": mode, "expand": expand}) for angle in (0, 30, -75.5, 90) for mode in (N, B)
               for expand in (False, True)] + [(20, {"center": [5, 7], "fill": [0.5]}), (20, {"interpolation": B, "fill": 3})],
    "affine": [(15, [3, -4], 1.2, [10, 5], {"interpolation": mode}) for mode in (N, B)]
              + [(15, [3, -4], 0.7, 8, {"fill": [9.0], "center": [3, 4]}), (15, [3, -4], -1.0, 8), (0.0, [1], 1.0, 0.0)],
    "perspective": [(*CORNERS, {"interpolation": B}), (*CORNERS, {"interpolation": B, "fill": 1}),
                    (CORNERS[0][:3], CORNERS[1][:3])],
    **{f"adjust_{what}": [(factor,) for factor in (0, 0.5, 1, 1.7)]
       for what in ("brightness", "contrast", "saturation", "sharpness", "gamma")},
    "adjust_hue": [(-0.5,), (-0.2,), (0,), (0.1,), (0.5,), (0.6,)],
    "gaussian_blur": [(5,), ([3, 7], [0.5, 2.0]), (5, 1.5), (4,), (3, -1.0)], "rgb_to_grayscale": [(1,), (2,)],
    "invert": [()], "posterize": [(3,), (0,), (8,), (9,)], "solarize": [(0.5,), (100,)], "autocontrast": [()], "equalize": [()],
    "erase": [(2, 3, 5, 6, 0)], "get_dimensions": [()], "get_image_size": [()], "get_image_num_channels": [()],
    "resized_crop": [(2, 3, 10, 12, [8, 9], {"interpolation": N})], "to_tensor": [()], "pil_to_tensor": [()],
    "to_pil_image": [()],
    "normalize": [([0.5], [0.2]), ([0.5], [0.0])]}

TRANSFORMS: list[tuple[Any, ...]] = [
    ("RandomCrop", 12), ("RandomCrop", [12, 10], 3), ("RandomCrop", 64, {"pad_if_needed": True}), ("RandomCrop", 64),
    ("RandomCrop", [30, 60], [1, 2], True, 0, "reflect"), ("RandomCrop", 19, (1, 2, 3, 4), {"fill": 5}),
    ("RandomResizedCrop", 16), ("RandomResizedCrop", [16, 12], (0.5, 0.6), (3.0, 4.0)),
    ("RandomResizedCrop", 16, {"interpolation": N}), ("RandomHorizontalFlip",), ("RandomVerticalFlip", 0.7),
    ("RandomRotation", 30), ("RandomRotation", (10, 90), {"expand": True, "fill": 3}),
    ("RandomRotation", 45, {"interpolation": B, "center": (3, 4)}), ("RandomAffine", 20),
    ("RandomAffine", 20, (0.1, 0.2), (0.8, 1.2), 10),
    ("RandomAffine", (0, 20), None, None, (1, 2, 3, 4), {"fill": 7, "center": (1, 2)}),
    ("RandomPerspective", 0.5, 0.9), ("RandomPerspective", 0.3, 1.0, {"fill": 2}), ("ColorJitter", 0.4, 0.4, 0.4, 0.1),
    ("ColorJitter", (0.5, 1.5)), ("ColorJitter", {"hue": 0.3}), ("Grayscale",), ("RandomGrayscale", 0.5),
    ("RandomErasing", 1.0), ("RandomErasing", 1.0, {"value": "random"}), ("RandomErasing", 0.5, (0.1, 0.2), (1, 2), (1, 2, 3)),
    ("GaussianBlur", 3), ("GaussianBlur", (3, 5), (0.5, 1.0)), ("GaussianBlur", 5, 1.5), ("RandomInvert",),
    ("RandomPosterize", 2),
    ("RandomSolarize", 0.5), ("RandomAdjustSharpness", 2), ("RandomAutocontrast",), ("RandomEqualize",), ("ElasticTransform",),
    ("ElasticTransform", [30.0, 20.0], [3.0, 2.0], {"fill": 2}), ("AutoAugment",), ("RandAugment",), ("TrivialAugmentWide",),
    ("RandAugment", 3, 5, {"fill": 2}), ("Resize", 10), ("Resize", (10, 12)), ("CenterCrop", 10), ("FiveCrop", 10),
    ("TenCrop", (10, 9), True), ("Pad", 3), ("Pad", (1, 2), 3), ("Pad", 2, 0, "edge"), ("Normalize", (0.5,), (0.2,)),
    ("ToTensor",), ("PILToTensor",), ("ToPILImage",), ("ToPILImage", "RGB")]


def outcome(call: Callable[[], Any]) -> Any:
    """What a call gives, as arrays; or its error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return plain(call())
    except Exception as error:
        return error


def plain(x: Any) -> Any:
    """Images and tensors as what they are called and their numbers in double precision."""
    if isinstance(x, (tuple, list)):
        return [plain(v) for v in x]
    if isinstance(x, Image.Image):
        return x.mode, np.asarray(x).astype(np.float64)
    return (str(x.dtype).partition(".")[2], x.numpy().astype(np.float64)) if hasattr(x, "numpy") else x


def assert_alike(ours: Any, theirs: Any, what: str, rounded: float = 0.01) -> None:
    """That two outcomes agree: numbers to 1e-4 of their range, and of integers a share `rounded` may be off by 1."""
    if isinstance(theirs, Exception):
        finer = isinstance(theirs, (AttributeError, NotImplementedError))  # what came of it further down
        kinds = (TypeError, ValueError) if finer else type(theirs)
        assert isinstance(ours, kinds), f"{what}: {ours!r} and not {theirs!r}"
    elif isinstance(theirs, list):
        assert isinstance(ours, list) and len(ours) == len(theirs), f"{what}: {ours!r}"
        for x, y in zip(ours, theirs):
            assert_alike(x, y, what, rounded)
    elif isinstance(theirs, tuple):
        assert isinstance(ours, tuple), f"{what}: {ours!r}"
        assert (ours[0], ours[1].shape) == (theirs[0], theirs[1].shape), what
        off = np.abs(ours[1] - theirs[1])
        if theirs[0].startswith("float"):
            assert off.max(initial=0.0) <= 1e-4 * max(1.0, np.abs(theirs[1]).max(initial=0.0)), f"{what}: {off.max()}"
        else:
            assert off.max(initial=0.0) <= 1 and (off > 0).mean() <= rounded, f"{what}: {off.max()}, {(off > 0).mean()}"
    else:
        assert ours == theirs, what


def called(function: Any, modes: Any, args: tuple[Any, ...], *first: Any) -> Any:
    """``function(*first, *args)``, where texts in a last dictionary that name modes of interpolation are of the class `modes`."""
    settings = dict(args[-1]) if args and isinstance(args[-1], dict) else {}
    if "interpolation" in settings:
        settings["interpolation"] = modes(settings["interpolation"])
    return function(*first, *(args[:-1] if settings else args), **settings)


@pytest.mark.parity
@pytest.mark.parametrize("kind", INPUTS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_torchvisions(name: str, kind: str) -> None:
    theirs = torchvision_or_skip().transforms.functional
    torch = pytest.importorskip("torch")
    x = INPUTS[kind]
    image, tensor = (x, x) if isinstance(x, Image.Image) else (torch.from_numpy(x.copy()), mg.from_numpy(x.copy()))
    for args in FUNCTIONS[name]:
        found = outcome(lambda args=args: called(getattr(F, name), InterpolationMode, args, tensor))
        wanted = outcome(lambda args=args: called(getattr(theirs, name), theirs.InterpolationMode, args, image))
        assert_alike(found, wanted, f"{name}{args} of {kind}")


@pytest.mark.parity
@pytest.mark.parametrize("target", ["float32", "float64", "uint8", "int16", "int32", "int64"])
def test_conversions_are_torchvisions(target: str) -> None:
    theirs = torchvision_or_skip().transforms.functional
    torch = pytest.importorskip("torch")
    for source in ("float32", "float64", "uint8", "int16", "int32"):
        x = (np.random.default_rng(0).random((3, 5, 6)) * (1 if source[0] == "f" else 100)).astype(source)
        found = outcome(lambda x=x: F.convert_image_dtype(mg.from_numpy(x), getattr(mg, target)))
        wanted = outcome(lambda x=x: theirs.convert_image_dtype(torch.from_numpy(x), getattr(torch, target)))
        assert_alike(found, wanted, f"{source} to {target}", rounded=0.0)


class SameDraws:
    """Stands for the random functions of a library: they draw from one stream of NumPy's, and note what was asked for."""

    def __init__(self, library: Any, seed: int) -> None:
        self.stream, self.as_tensor, self.asked = np.random.default_rng(seed), library.from_numpy, []
        self.empty_of_library = library.empty

    def give(self, what: Any, numbers: Any) -> Any:
        self.asked.append(what)
        return self.as_tensor(np.asarray(numbers))

    def rand(self, *size: Any) -> Any:
        shape = tuple(size[0]) if isinstance(size[0], (tuple, list)) else size
        return self.give(("rand", shape), self.stream.random(shape).astype(np.float32))

    def randint(self, *args: Any, size: Any = None, **settings: Any) -> Any:
        bounds = args if size is not None else args[:-1]
        low, high = bounds if len(bounds) == 2 else (0, bounds[0])
        return self.give(("randint", low, high), self.stream.integers(low, high, tuple(size or args[-1])))

    def randperm(self, n: int) -> Any:
        return self.give(("randperm", n), self.stream.permutation(n))

    def empty(self, *size: Any, **settings: Any) -> Any:
        shape = tuple(size[0]) if isinstance(size[0], (tuple, list)) else size
        if len(shape) not in (1, 3):
            return self.empty_of_library(*size, **settings)
        return mock.Mock(uniform_=lambda low, high: self.give(("uniform", round(float(low), 5), round(float(high), 5)), (
                             float(low) + self.stream.random(shape) * (float(high) - float(low))).astype(np.float32)),
                         normal_=lambda: self.give("normal", self.stream.standard_normal(shape).astype(np.float32)))

    def patches(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("rand", "randint", "randperm", "empty")}


@pytest.mark.parity
@pytest.mark.parametrize("case", TRANSFORMS, ids=lambda case: "-".join(map(str, case)))
def test_transforms_draw_and_do_what_torchvisions_do(case: tuple[Any, ...]) -> None:
    """From the same numbers they do the same, so they draw in the same order; and they describe themselves in the same words."""
    theirs = torchvision_or_skip().transforms
    torch = pytest.importorskip("torch")
    ours = called(getattr(transforms, case[0]), InterpolationMode, case[1:])
    other = called(getattr(theirs, case[0]), theirs.InterpolationMode, case[1:])
    assert repr(ours) == repr(other)
    for kind, x in INPUTS.items():
        for seed in range(4):
            found, asked = [], []
            for library, transform in ((mg, ours), (torch, other)):
                image = x if isinstance(x, Image.Image) else library.from_numpy(x.copy())
                draws = SameDraws(library, seed)
                with mock.patch.multiple(library, **draws.patches()):
                    found.append(outcome(lambda image=image, transform=transform: transform(image)))
                asked.append(draws.asked)
            assert_alike(*found, f"{case} of {kind}", rounded=0.05)
            assert isinstance(found[1], Exception) or asked[0] == asked[1], f"{case} of {kind}"


# ---------------------------------------------------------------------------------------------------- from kind to kind

def test_to_tensor_by_mode() -> None:
    image = Image.fromarray(photograph())
    x = F.to_tensor(image)
    assert x.dtype == mg.float32 and x.shape == (3, 37, 53) and x.is_contiguous()
    assert np.array_equal(x.numpy(), photograph().transpose(2, 0, 1).astype(np.float32) / np.float32(255))
    for mode, dtype, most in (("L", mg.float32, 1), ("1", mg.float32, 1), ("RGBA", mg.float32, 1), ("I", mg.int32, 255),
                              ("F", mg.float32, 255), ("I;16", mg.int16, 255)):
        converted = F.to_tensor(image.convert("L").convert(mode) if mode == "I;16" else image.convert(mode))
        assert converted.dtype == dtype and converted.shape == (4 if mode == "RGBA" else 1, 37, 53)
        assert converted.max().item() <= most and (mode != "1" or set(converted.unique().tolist()) == {0.0, 1.0})
    assert F.pil_to_tensor(image.convert("L").convert("I;16")).dtype == mg.uint16
    assert mg.equal(F.to_tensor(photograph()), x) and F.to_tensor(np.zeros((4, 5))).dtype == mg.float64
    assert F.to_tensor(photograph()[::-1, ::-1]).shape == (3, 37, 53)
    mg.set_default_dtype(mg.float64)
    try:
        assert F.to_tensor(image).dtype == mg.float64
    finally:
        mg.set_default_dtype(mg.float32)


@pytest.mark.parametrize(("shape", "dtype", "mode"), [
    ((4, 5), "uint8", "L"), ((1, 4, 5), "uint8", "L"), ((2, 4, 5), "uint8", "LA"), ((3, 4, 5), "uint8", "RGB"),
    ((4, 4, 5), "uint8", "RGBA"), ((3, 4, 5), "float32", "RGB"), ((4, 5), "int32", "I"), ((4, 5), "int16", "I;16"),
    ((4, 5), "float32", "L"), ((3, 4, 5), "bfloat16", "RGB")])
def test_images_and_back(shape: tuple[int, ...], dtype: str, mode: str) -> None:
    numbers = mg.randint(0, 100, shape)
    x = numbers.to(getattr(mg, dtype)) if dtype[0] in "ui" else (numbers / 128).to(getattr(mg, dtype))
    image = F.to_pil_image(x)
    assert image.mode == mode and image.size == (5, 4)
    colours = x if dtype[0] in "ui" else (x * 255).to(mg.uint8)
    assert mg.equal(F.pil_to_tensor(image).reshape(shape).float(), colours.float())


def test_images_of_a_given_mode() -> None:
    assert F.to_pil_image(mg.rand(3, 4, 5), "HSV").mode == "HSV" and F.to_pil_image(mg.rand(4, 4, 5), mode="CMYK").mode == "CMYK"
    image = F.to_pil_image(np.float32([[0.25, 3.5]]), "F")
    assert image.mode == "F" and np.asarray(image).tolist() == [[0.25, 3.5]]
    x = mg.rand(1, 2, 2, requires_grad=True)
    assert F.to_pil_image(x).mode == "L"


@pytest.mark.parametrize(("call", "error", "said"), [
    (lambda: F.to_tensor([1]), TypeError, "pic should be PIL Image or ndarray. Got <class 'list'>"),
    (lambda: F.to_tensor(np.zeros(3)), ValueError, "pic should be 2/3 dimensional. Got 1 dimensions"),
    (lambda: F.to_pil_image(3), TypeError, "pic should be Tensor or ndarray"),
    (lambda: F.to_pil_image(mg.zeros(2, 3, 4, 5)), ValueError, "pic should be 2/3 dimensional. Got 4 dimensions"),
    (lambda: F.to_pil_image(mg.zeros(5, 4, 4)), ValueError, "not have > 4 channels. Got 5 channels"),
    (lambda: F.to_pil_image(mg.zeros(3, 4, 4), "L"), ValueError, r"Incorrect mode \(L\).*Should be RGB or YCbCr or HSV"),
    (lambda: F.to_pil_image(mg.zeros(4, 4, dtype=mg.int64)), TypeError, "Input type int64 is not supported"),
    (lambda: F.pil_to_tensor(mg.zeros(3)), TypeError, "pic should be PIL Image"),
    (lambda: F.hflip("image"), TypeError, "img should be PIL Image or Tensor. Got <class 'str'>"),
    (lambda: F.hflip(mg.zeros(3)), TypeError, r"expected \(..., height, width\), got shape \(3,\)"),
    (lambda: F.normalize(mg.zeros(3, 4, 4, dtype=mg.uint8), [0.5], [0.5]), TypeError, "a float tensor. Got minigrad.uint8"),
    (lambda: F.normalize(mg.zeros(3, 4, 4), [0.5], [0.5, 0, 0.5]), ValueError, "std evaluated to zero"),
    (lambda: F.normalize(Image.new("L", (3, 3)), [0.5], [0.5]), TypeError, "img should be Tensor Image"),
    (lambda: F.convert_image_dtype(mg.rand(3), mg.int32), RuntimeError, "cannot be performed safely"),
    (lambda: F.resize(mg.rand(3, 4, 4), 3, "bilinear"), TypeError, "should be a InterpolationMode.*got 'bilinear'"),
    (lambda: F.resize(mg.rand(3, 4, 4), 3, InterpolationMode.BOX), ValueError, "'box' is for PIL images"),
    (lambda: F.resize(mg.rand(3, 4, 4), 3, max_size=3), ValueError, "must be strictly greater"),
    (lambda: F.resize(mg.rand(3, 4, 4), (3, 3), max_size=5), ValueError, "max_size should only be passed"),
    (lambda: F.resize(mg.rand(3, 4, 4), (3, 3, 3)), ValueError, "1 or 2 element"),
    (lambda: F.pad(mg.rand(3, 4, 4), "3"), TypeError, "inappropriate padding arg"),
    (lambda: F.pad(mg.rand(3, 4, 4), 5, padding_mode="symmetric"), ValueError, "more than the 4 pixels"),
    (lambda: F.adjust_hue(mg.rand(4, 4, 4), 0.1), TypeError, r"permitted channel values are \[1, 3\], but found 4"),
    (lambda: F.adjust_brightness(mg.rand(3, 4, 4), -1), ValueError, "is not non-negative"),
    (lambda: F.posterize(mg.rand(3, 4, 4), 3), TypeError, "Only minigrad.uint8 image tensors"),
    (lambda: F.rotate(mg.rand(3, 4, 4), 30, InterpolationMode.BICUBIC), ValueError, "'bicubic' is unsupported with Tensor input"),
    (lambda: F.rotate(mg.rand(3, 4, 4), 30, fill=[1, 2]), ValueError, r"cannot broadcast.*\(2 != 3\)"),
    (lambda: F.rotate(Image.new("RGB", (4, 4)), 30, fill=[1, 2]), ValueError, r"does not match the number.*\(2 != 3\)"),
    (lambda: F.elastic_transform(mg.rand(3, 4, 4), mg.rand(1, 3, 3, 2)), ValueError, r"\(1, 4, 4, 2\), but given \(1, 3, 3"),
    (lambda: transforms.RandomCrop((3, 4, 5)), ValueError, "only two dimensions"),
    (lambda: transforms.RandomCrop({3}), TypeError, "only two dimensions"),
    (lambda: transforms.RandomCrop(9)(mg.rand(3, 4, 4)), ValueError, r"size \(9, 9\) is larger than input image size \(4, 4\)"),
    (lambda: transforms.RandomRotation(-3), ValueError, "must be positive"),
    (lambda: transforms.RandomAffine(3, translate=(2, 0)), ValueError, "between 0 and 1"),
    (lambda: transforms.ColorJitter(hue=0.6), ValueError, r"hue values should be between \(-0.5, 0.5\)"),
    (lambda: transforms.ColorJitter("bright"), TypeError, "brightness should be a single number"),
    (lambda: transforms.RandomErasing(value="noise"), ValueError, "it should be 'random'"),
    (lambda: transforms.GaussianBlur(4), ValueError, "odd and positive"),
    (lambda: transforms.LinearTransformation(mg.rand(3, 4), mg.rand(3)), ValueError, "should be square"),
    (lambda: transforms.Lambda(3), TypeError, "should be callable"),
    (lambda: transforms.RandomChoice(3), TypeError, "should be a sequence"),
    (lambda: transforms.AutoAugment("imagenet"), ValueError, "is not recognized")])
def test_refusals(call: Callable[[], Any], error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        call()


# ---------------------------------------------------------------------------------------------------- in numbers

SMALL = mg.tensor([[[1, 2, 3], [4, 5, 6]]], dtype=mg.uint8)


@pytest.mark.parametrize(("change", "wanted"), [
    (lambda x: F.hflip(x), [[3, 2, 1], [6, 5, 4]]), (lambda x: F.vflip(x), [[4, 5, 6], [1, 2, 3]]),
    (lambda x: F.crop(x, 0, 1, 2, 2), [[2, 3], [5, 6]]), (lambda x: F.crop(x, -1, 2, 2, 2), [[0, 0], [3, 0]]),
    (lambda x: F.center_crop(x, [2, 1]), [[2], [5]]), (lambda x: F.center_crop(x, (1,)), [[2]]),
    (lambda x: F.pad(x, [1, 0]), [[0, 1, 2, 3, 0], [0, 4, 5, 6, 0]]),
    (lambda x: F.pad(x, [2, 0, 0, 0], 9), [[9, 9, 1, 2, 3], [9, 9, 4, 5, 6]]),
    (lambda x: F.pad(x, [1, 0], padding_mode="edge"), [[1, 1, 2, 3, 3], [4, 4, 5, 6, 6]]),
    (lambda x: F.pad(x, [1, 0], padding_mode="reflect"), [[2, 1, 2, 3, 2], [5, 4, 5, 6, 5]]),
    (lambda x: F.pad(x, [2, 0], padding_mode="symmetric"), [[2, 1, 1, 2, 3, 3, 2], [5, 4, 4, 5, 6, 6, 5]]),
    (lambda x: F.rotate(x, 180), [[6, 5, 4], [3, 2, 1]]), (lambda x: F.rotate(x, -180, expand=True), [[6, 5, 4], [3, 2, 1]]),
    (lambda x: F.affine(x, 0, [1, 0], 1.0, 0), [[0, 1, 2], [0, 4, 5]]),
    (lambda x: F.affine(x, 0, [1, 0], 1.0, 0, fill=7), [[7, 1, 2], [7, 4, 5]]),
    (lambda x: F.resize(x, [2, 6], InterpolationMode.NEAREST), [[1, 1, 2, 2, 3, 3], [4, 4, 5, 5, 6, 6]]),
    (lambda x: F.invert(x), [[254, 253, 252], [251, 250, 249]]), (lambda x: F.posterize(x, 7), [[0, 2, 2], [4, 4, 6]]),
    (lambda x: F.solarize(x, 5), [[1, 2, 3], [4, 250, 249]]), (lambda x: F.adjust_brightness(x, 2.0), [[2, 4, 6], [8, 10, 12]]),
    (lambda x: F.adjust_contrast(x, 0.0), [[3, 3, 3], [3, 3, 3]]),
    (lambda x: F.autocontrast(x), [[0, 51, 102], [153, 204, 255]])])
@pytest.mark.parametrize("kind", ["tensor", "image", "batch of batches"])
def test_small_images(change: Callable[[Any], Any], wanted: list[list[int]], kind: str) -> None:
    if kind == "image":
        found = F.pil_to_tensor(change(F.to_pil_image(SMALL)))
    else:
        found = change(SMALL if kind == "tensor" else SMALL.expand(2, 3, 1, 2, 3))
    off = (found.int() - mg.tensor(wanted).int()).abs().max().item()
    assert found.shape[-2:] == mg.tensor(wanted).shape and off <= (1 if kind == "image" else 0), found.tolist()


def test_numbers_of_numpy_are_numbers() -> None:
    x, one = mg.rand(3, 8, 8), np.float32(1)
    for transform in (transforms.RandomRotation(one), transforms.ColorJitter(one), transforms.GaussianBlur(3, one),
                      transforms.RandomAffine(one, shear=one), transforms.Pad(2, one), transforms.CenterCrop(np.float32(8))):
        assert transform(x).shape[0] == 3


def test_corners_and_middle() -> None:
    x = mg.arange(12).view(1, 3, 4)
    assert [c.flatten().tolist() for c in F.five_crop(x, [1, 2])] == [[0, 1], [2, 3], [8, 9], [10, 11], [5, 6]]
    assert len(F.ten_crop(x, 2)) == 10 and mg.equal(F.ten_crop(x, 2)[5], F.hflip(x)[..., :2, :2])


def test_normalizing() -> None:
    x = mg.ones(2, 3, 4, 4)
    found = transforms.Normalize((0.5, 1.0, 0.0), (0.5, 1.0, 2.0))(x)
    assert found[0, :, 0, 0].tolist() == [1.0, 0.0, 0.5] and mg.equal(x, mg.ones(2, 3, 4, 4))
    assert transforms.Normalize(0.5, 0.5)(x).max().item() == 1.0
    assert transforms.Normalize((0.5,), (0.5,), inplace=True)(x) is x and x.mean().item() == 1.0
    assert transforms.Normalize((0.5, 1.0), (0.5, 1.0))(mg.ones(1, 4, 4)).shape == (2, 4, 4)  # as torchvision has it
    for numbers in ((0.5, 0.5), mg.ones(2)):
        with pytest.raises(RuntimeError, match=r"a number for each of 3 channels, or one for all, got 2 for an image of shape"):
            transforms.Normalize(numbers, numbers)(x)


def test_what_is_composed_are_transforms_in_a_list() -> None:
    with pytest.raises(TypeError, match=r"expected a list of transforms, got ToTensor; write it in brackets"):
        transforms.Compose(transforms.ToTensor())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"got the class ToTensor; ToTensor\(\) makes a transform"):
        transforms.Compose([transforms.ToTensor])
    assert transforms.Compose(nn.Sequential(transforms.Grayscale()))(mg.ones(3, 2, 2)).shape == (1, 2, 2)


def test_a_loader_of_images_asks_for_a_transform() -> None:
    with pytest.raises(TypeError, match=r"found <class 'PIL.Image.Image'>; .* vision\.transforms\.ToTensor\(\)"):
        next(iter(DataLoader(datasets.FakeData(4, (3, 8, 8)), batch_size=2)))


def test_resizing_photographs() -> None:
    image = Image.fromarray(photograph())
    assert transforms.Resize(20)(image).size == (28, 20) and transforms.Resize(20, max_size=25)(image).size == (25, 17)
    with pytest.warns(UserWarning, match="Anti-alias option is always applied"):
        transforms.Resize(20, antialias=False)(image)
    assert transforms.Resize((37, 53))(image) is image
    x = F.pil_to_tensor(image)
    off = (F.resize(x, [16, 20]).int() - F.pil_to_tensor(F.resize(image, [16, 20])).int()).abs()
    assert off.max().item() <= 1  # averaged over the same pixels as by Pillow


def test_tensors_are_changed_with_their_gradients() -> None:
    mg.manual_seed(0)
    x = mg.rand(2, 3, 9, 10, requires_grad=True)
    changed = F.adjust_hue(F.adjust_saturation(F.rotate(F.resize(x, 8), 20, InterpolationMode.BILINEAR), 0.7), 0.1)
    F.gaussian_blur(F.normalize(changed, [0.5], [0.5]), 3).sum().backward()
    assert x.grad is not None and x.grad.isfinite().all() and (x.grad != 0).float().mean().item() > 0.3


def test_whitening() -> None:
    matrix, mean = mg.randn(12, 12), mg.randn(12)
    x = mg.randn(5, 3, 2, 2)
    found = transforms.LinearTransformation(matrix, mean)(x)
    assert found.shape == x.shape and mg.allclose(found.view(5, 12), (x.view(5, 12) - mean) @ matrix)
    with pytest.raises(ValueError, match="incompatible shape. 3 x 3 x 3 != 12"):
        transforms.LinearTransformation(matrix, mean)(mg.randn(3, 3, 3))


# ---------------------------------------------------------------------------------------------------- at random

def test_seeds_repeat_what_is_drawn() -> None:
    image = Image.fromarray(photograph())
    pipeline = transforms.Compose([
        transforms.RandomResizedCrop(16), transforms.RandomHorizontalFlip(), transforms.ColorJitter(0.4, 0.4, 0.4, 0.1),
        transforms.RandomAffine(20, (0.1, 0.1), (0.9, 1.1), 5), transforms.RandomApply([transforms.GaussianBlur(3)]),
        transforms.RandAugment(), transforms.ToTensor(), transforms.RandomErasing(value="random")])
    results = []
    for seed in (0, 0, 1):
        mg.manual_seed(seed)
        results.append(pipeline(image))
    assert mg.equal(results[0], results[1]) and not mg.equal(results[0], results[2]) and results[0].shape == (3, 16, 16)


def test_how_often_things_happen() -> None:
    x = mg.arange(6).view(1, 2, 3)
    mg.manual_seed(0)
    for transform in (transforms.RandomHorizontalFlip(0.3), transforms.RandomApply([F.hflip], 0.3)):
        share = sum(not mg.equal(transform(x), x) for _ in range(400)) / 400
        assert 0.2 < share < 0.4
    random.seed(0)
    choice = transforms.RandomChoice([lambda x: 0, lambda x: 1], p=[1, 3])
    assert 0.65 < sum(choice(x) for _ in range(400)) / 400 < 0.85
    orders = {transforms.RandomOrder([lambda x: x + "a", lambda x: x + "b", lambda x: x + "c"])("") for _ in range(100)}
    assert len(orders) == 6


def test_every_place_is_drawn() -> None:
    mg.manual_seed(0)
    x = mg.arange(4).view(1, 2, 2)
    assert {transforms.RandomCrop(1)(x).item() for _ in range(100)} == {0, 1, 2, 3}
    assert {transforms.RandomCrop(2).get_params(mg.zeros(1, 2, 4), (2, 2))[1] for _ in range(100)} == {0, 1, 2}


def test_descriptions() -> None:
    text = repr(transforms.Compose([transforms.ToTensor(), transforms.RandomApply([transforms.Pad(1)], 0.3)]))
    assert text == ("Compose(\n    ToTensor()\n    RandomApply(\n    p=0.3\n"
                    "    Pad(padding=1, fill=0, padding_mode=constant)\n)\n)")
    assert repr(transforms.RandomChoice([transforms.ToTensor()])) == "RandomChoice(\n    ToTensor()\n)(p=None)"


@pytest.fixture(name="no_hints_wanted")
def hints_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("no_hints_wanted")
def test_transforms_are_layers_without_parameters() -> None:
    model = nn.Sequential(transforms.Normalize((0.5,), (0.5,)), nn.Flatten(), nn.Linear(12, 2))
    assert model(mg.rand(4, 3, 2, 2)).shape == (4, 2) and len(list(model.parameters())) == 2

    class Augmented(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.transforms = [transforms.RandomHorizontalFlip(), nn.Identity()]

    Augmented()
    with pytest.warns(UserWarning, match="plain list of Modules"):
        transforms.RandomApply([nn.Linear(2, 2)])


def test_a_loader_of_images() -> None:
    pipeline = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    data = datasets.FakeData(10, (1, 12, 12), 3, pipeline)
    (x, y), *_ = DataLoader(data, batch_size=4)
    assert x.shape == (4, 1, 12, 12) and x.dtype == mg.float32 and y.dtype == mg.int64


# ---------------------------------------------------------------------------------------------------- the second version

def test_labels_are_taken_along() -> None:
    image = Image.fromarray(photograph())
    pipeline = v2.Compose([v2.ToImage(), v2.RandomResizedCrop(16), v2.RandomHorizontalFlip(1.0),
                           v2.ToDtype(mg.float32, scale=True), v2.Normalize((0.5,) * 3, (0.5,) * 3)])
    alone = pipeline(image)
    assert alone.shape == (3, 16, 16) and alone.dtype == mg.float32 and alone.min().item() >= -1
    x, label = pipeline(image, 7)
    assert x.shape == (3, 16, 16) and label == 7
    sample = pipeline({"image": image, "label": mg.tensor(3), "name": "cat"})
    assert sample["image"].shape == (3, 16, 16) and sample["label"].item() == 3 and sample["name"] == "cat"


def test_images_that_belong_together_are_changed_alike() -> None:
    one, two = Image.fromarray(photograph()), Image.fromarray(255 - photograph())
    mg.manual_seed(0)
    a, b, rest = v2.RandomResizedCrop(16, interpolation=InterpolationMode.NEAREST)((one, two, "rest"))
    assert np.array_equal(np.asarray(a), 255 - np.asarray(b)) and rest == "rest"
    x = mg.rand(3, 8, 8)
    flipped, same = v2.RandomHorizontalFlip(1.0)(x, x)
    assert mg.equal(flipped, x.flip(-1)) and same is x  # only the first tensor is taken for an image


def test_what_only_the_second_version_has() -> None:
    mg.manual_seed(0)
    x, image = mg.rand(3, 8, 10), Image.fromarray(photograph())
    assert v2.Identity()(x) is x and v2.ToPureTensor()(x) is x and v2.ToImage()(photograph()).shape == (3, 37, 53)
    assert v2.RGB()(x[:1]).shape == (3, 8, 10) and v2.RGB()(image.convert("L")).mode == "RGB"
    assert v2.Lambda(lambda v: v * 2, int)(x, 3)[1] == 6 and v2.Lambda(lambda v: v * 2)(3) == 6
    assert 0 <= v2.GaussianNoise()(x).min().item() and v2.GaussianNoise(clip=False)(x).std() > x.std()
    permuted = v2.RandomChannelPermutation()(x)
    assert sorted(permuted.sum((1, 2)).tolist()) == sorted(x.sum((1, 2)).tolist())
    assert v2.RandomChannelPermutation()(image).size == image.size
    assert v2.RandomResize(4, 6)(x).shape[1] in (4, 5) and v2.RandomShortestSize([4, 6], 7)(x).shape[1] in (4, 5)
    assert v2.ScaleJitter((16, 16), (1.0, 1.0))(x).shape[2] == 16
    assert v2.RandomChoice([lambda x: 0, lambda x: 1], p=[0, 1])(x) == 1
    assert len({v2.RandomOrder([lambda x: x + "a", lambda x: x + "b"])("") for _ in range(30)}) == 2
    assert mg.equal(v2.functional.to_dtype(x, mg.uint8, scale=True), F.convert_image_dtype(x, mg.uint8))
    assert v2.functional.get_size(image) == [37, 53] and v2.functional.horizontal_flip is F.hflip

    class Darker(v2.Transform):
        def make_params(self, flat_inputs: list[Any]) -> dict[str, Any]:
            return {"by": len(flat_inputs) / 2}

        def transform(self, inpt: Any, params: dict[str, Any]) -> Any:
            return inpt * params["by"]

    assert mg.equal(Darker()(x, "label")[0], x / 2)


@pytest.mark.parametrize("cls", [v2.MixUp, v2.CutMix])
def test_mixed_batches(cls: Any) -> None:
    mg.manual_seed(0)
    x, y = mg.stack([mg.full((1, 8, 8), float(k)) for k in range(4)]), mg.arange(4)
    mixed, shares = cls(num_classes=4)(x, y)
    assert shares.shape == (4, 4) and mg.allclose(shares.sum(1), mg.ones(4))
    assert mg.allclose(mixed.mean((1, 2, 3)), shares @ mg.arange(4.0))  # images and labels are mixed in the same shares
    with pytest.raises(ValueError, match="num_classes must be passed"):
        cls()(x, y)
    with pytest.raises(ValueError, match="does not support PIL images"):
        cls(num_classes=4)(Image.fromarray(photograph()), y)
    assert cls()(x, shares)[1].shape == (4, 4)


def test_mixed_chains() -> None:
    mg.manual_seed(0)
    image = Image.fromarray(photograph())
    x = F.pil_to_tensor(image)
    for _ in range(5):
        assert transforms.AugMix()(image).size == image.size
        changed = transforms.AugMix(severity=1, chain_depth=1, all_ops=False)(mg.stack([x, x]))
        assert changed.dtype == mg.uint8 and changed.shape == (2, 3, 37, 53)
    with pytest.raises(ValueError, match="severity must be between"):
        transforms.AugMix(11)
