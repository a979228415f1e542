"""How models are made by name, and where the weights are published that they can begin with."""

from __future__ import annotations

import fnmatch
import functools
import warnings
from dataclasses import dataclass
from enum import Enum
from types import ModuleType
from typing import Any, Callable, Iterable, TypeVar

from minigrad import hub
from minigrad.errors import ArgumentError, InvalidValueError
from minigrad.nn.modules.module import Module
from minigrad.vision.transforms._presets import ImageClassification

__all__ = ["Weights", "WeightsEnum", "get_model", "get_model_builder", "get_model_weights", "get_weight", "list_models"]

M = TypeVar("M", bound=Module)
PUBLISHED = "https://download.pytorch.org/models/"  # where torchvision's weights are
BUILDERS: dict[str, Callable[..., Any]] = {}  # the functions that make models, by name
WEIGHTS: dict[str, type[WeightsEnum]] = {}  # the weights of each of them


# ---------------------------------------------------------------------------------------------------- weights

@dataclass
class Weights:
    """Weights that someone published.

    Args:
        url: where the file is; its name ends in the beginning of its SHA-256.
        transforms: a function without arguments that makes the transform of images for which the weights were trained.
        meta: what is known of them. ``"num_params"`` is the number of parameters, ``"min_size"`` the least height and width of
            images, ``"config"`` the arguments of the model that the weights fit, ``"_metrics"`` how well it does.
    """

    url: str
    transforms: Callable[..., Any]
    meta: dict[str, Any]


class WeightsEnum(Enum):
    """Base of the tables of weights: for each model one, whose members are of :class:`Weights` and have its attributes."""

    @classmethod
    def verify(cls, obj: Any) -> Any:
        """The member that `obj` is, or that it names; None for None. Raises ``TypeError`` for members of other tables, and
        ``ValueError`` for names that are not in this one."""
        if isinstance(obj, str):
            name = obj.removeprefix(cls.__name__ + ".")
            if name not in cls.__members__:
                raise InvalidValueError(f"{cls.__name__} has no {name!r}; it has {', '.join(cls.__members__)}")
            return cls[name]
        if obj is not None and not isinstance(obj, cls):
            raise ArgumentError(f"Invalid Weight class provided; expected {cls.__name__} but received {type(obj).__name__}.")
        return obj

    def get_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """The published state, fetched once; the arguments are those of :func:`minigrad.hub.load_state_dict_from_url`."""
        return hub.load_state_dict_from_url(self.url, *args, **kwargs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}.{self.name}"

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return getattr, (type(self), self.name)

    @property
    def url(self) -> str:
        """Where the file is."""
        return str(self.value.url)

    @property
    def transforms(self) -> Callable[..., Any]:
        """What makes the transform of images for which the weights were trained."""
        found: Callable[..., Any] = self.value.transforms
        return found

    @property
    def meta(self) -> dict[str, Any]:
        """What is known of the weights."""
        known: dict[str, Any] = self.value.meta
        return known


def imagenet(file: str, num_params: int, acc1: float, acc5: float, *, min_size: int = 1, crop: int = 224, resize: int = 256,
             config: dict[str, Any] | None = None, **settings: Any) -> Weights:
    """Weights trained on the 1,000 classes of ImageNet.

    Args:
        file: the name of the published file, without its ending.
        acc1, acc5: how often the right class is the first guess, and one of five, in percent.
        min_size: the least height and width of images.
        crop, resize: to which size the shorter side of an image is brought, and which square is cut out of its middle.
        config: arguments of the model that the weights fit, beside the number of classes.
        settings: the rest of the transform's settings.
    """
    meta = {"num_params": num_params, "min_size": (min_size, min_size), "config": {"num_classes": 1000, **(config or {})},
            "_metrics": {"ImageNet-1K": {"acc@1": acc1, "acc@5": acc5}}}
    transforms = functools.partial(ImageClassification, crop_size=crop, resize_size=resize, **settings)
    return Weights(f"{PUBLISHED}{file}.pth", transforms, meta)


# ---------------------------------------------------------------------------------------------------- models

def builds(table: type[WeightsEnum], *, optional: str | None = None,
           **with_weights: Any) -> Callable[[Callable[..., M]], Callable[..., M]]:
    """For a function that makes a model of keyword arguments: list it, and let it begin with weights of `table`.

    Args:
        optional: how the names of what the weights have begin, where a model can do without it.
        with_weights: arguments where weights are asked for, unless others are given.
    """
    def decorate(make: Callable[..., M]) -> Callable[..., M]:
        @functools.wraps(make)
        def build(weights: Any = None, progress: bool = True, *, pretrained: bool | None = None, **kwargs: Any) -> M:
            if pretrained is not None or isinstance(weights, bool):
                weights = first_of(table, weights if pretrained is None else pretrained)
            chosen = table.verify(weights)
            if chosen is None:
                return make(**kwargs)
            for name, fitting in chosen.meta["config"].items():
                if kwargs.setdefault(name, fitting) != fitting:
                    raise InvalidValueError(f"{make.__name__}: {chosen} fit {name}={fitting}, got {kwargs[name]}; make the model "
                                            "without that argument and replace its last layer, or pass weights=None")
            model = make(**{**with_weights, **kwargs})
            state = chosen.get_state_dict(progress=progress, check_hash=True)
            if optional is not None:
                there = model.state_dict()
                for name in [name for name in state if name.startswith(optional) and name not in there]:
                    del state[name]
            model.load_state_dict(state)
            return model

        del build.__wrapped__  # the signature that users see is that of `build`
        BUILDERS[make.__name__], WEIGHTS[make.__name__] = build, table
        return build

    return decorate


def first_of(table: type[WeightsEnum], pretrained: bool) -> WeightsEnum | None:
    """What ``pretrained=True`` has meant before there was more than one file for a model, with a warning."""
    chosen = next(iter(table)) if pretrained else None
    warnings.warn(f"pretrained={pretrained} is deprecated: pass weights={chosen}" + (f", or {table.__name__}.DEFAULT for "
                  "the best that there are" if pretrained else ""), UserWarning, stacklevel=3)
    return chosen


def get_model_builder(name: str) -> Callable[..., Module]:
    """The function that makes the model of that name. Raises ``ValueError`` where there is none."""
    if name.lower() not in BUILDERS:
        raise InvalidValueError(f"Unknown model {name}; list_models() has their names")
    return BUILDERS[name.lower()]


def get_model(name: str, **config: Any) -> Module:
    """The model of that name, made with these arguments."""
    return get_model_builder(name)(**config)


def get_model_weights(name: Callable[..., Module] | str) -> type[WeightsEnum]:
    """The weights that are published for a model, given the function that makes it, or its name. Raises ``ValueError`` where
    there are none."""
    builder = get_model_builder(name) if isinstance(name, str) else name
    if builder not in BUILDERS.values():
        raise InvalidValueError(f"get_model_weights: there are no weights for {builder!r}; list_models() has the names of models")
    return WEIGHTS[builder.__name__]


def get_weight(name: str) -> WeightsEnum:
    """The weights of that name, as in ``"ResNet50_Weights.IMAGENET1K_V1"``. Raises ``ValueError`` where there are none."""
    table, _, member = name.partition(".")
    for found in WEIGHTS.values():
        if found.__name__ == table and member in found.__members__:
            return found[member]
    raise InvalidValueError(f"Invalid weight name provided: '{name}'; the names for a model are in get_model_weights(model)")


def list_models(module: ModuleType | None = None, include: Iterable[str] | str | None = None,
                exclude: Iterable[str] | str | None = None) -> list[str]:
    """The names of models, in alphabetical order.

    Args:
        module: only models made in it.
        include, exclude: patterns, as of a shell, of which one has to fit, and none may.
    """
    def fits(name: str, patterns: Iterable[str] | str) -> bool:
        return any(fnmatch.fnmatch(name, pattern) for pattern in ([patterns] if isinstance(patterns, str) else patterns))

    return sorted(name for name, builder in BUILDERS.items()
                  if (module is None or builder.__module__.rpartition(".")[0] == module.__name__)
                  and (not include or fits(name, include)) and not (exclude and fits(name, exclude)))
