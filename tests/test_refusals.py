"""What is no tensor is refused by the name of the function and of the argument, in every public function and method.

The functions are found, not listed. Which of their parameters take tensors is read from the annotations, as
:mod:`minigrad.recording.boundary` does, so each parameter must have one.
"""

from __future__ import annotations

import inspect
import pickle
import re
import warnings
from types import FunctionType
from typing import Any, Iterator

import numpy as np
import pytest

import minigrad
from minigrad import fft, linalg, special
from minigrad.errors import ArgumentError, MinigradError
from minigrad.nn import functional as F
from minigrad.recording import boundary

NAMESPACES = {"": minigrad, "nn.functional.": F, "linalg.": linalg, "special.": special, "fft.": fft}
STARRED = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)

# Parameters that take anything, or too many things for a type.
ANYTHING = {
    *[(name, "data") for name in ("as_tensor", "tensor", "Tensor.new_tensor")], ("asarray", "obj"),  # nested sequences, arrays
    ("from_dlpack", "ext_tensor"), ("frombuffer", "buffer"),  # what has a protocol
    ("is_storage", "obj"), ("is_tensor", "obj"), ("save", "obj"), ("set_default_tensor_type", "t"), ("Tensor.new", "args"),
    ("printoptions", "options"),
    ("load", "pickle_load_args"),  # for the unpickler
    ("einsum", "args"),  # an equation and tensors, or tensors and lists of numbers in turn
    ("summary", "input_size"), ("summary", "input_data"), ("summary", "kwargs"),  # shapes or inputs of any model, in any nest
    ("load", "map_location"), ("vmap", "in_dims"), ("vmap", "out_dims")}  # functions, dictionaries, nested tuples
# Functions that give anything.
RETURNS_ANYTHING = frozenset(("compile", "load", "get_rng_state", "to_dlpack", "Tensor.item", "Tensor.tolist"))


def walk() -> Iterator[tuple[str, Any]]:
    """Every public function and method with its name, once."""
    seen = set()
    for prefix, namespace in NAMESPACES.items():
        for name in getattr(namespace, "__all__", dir(namespace)):
            found = getattr(namespace, name)
            if isinstance(found, FunctionType) and not name.startswith("_") and id(found) not in seen \
                    and found.__module__.startswith("minigrad"):
                seen.add(id(found))
                yield prefix + name, found
    for name in dir(minigrad.Tensor):
        found = inspect.getattr_static(minigrad.Tensor, name)
        if isinstance(found, FunctionType) and not name.startswith("_") and id(found) not in seen:
            yield f"Tensor.{name}", found


FUNCTIONS = dict(walk())


def parameters_of(name: str) -> list[inspect.Parameter]:
    function = FUNCTIONS[name]
    return list(inspect.signature(function.info.forward if hasattr(function, "info") else function).parameters.values())


def kind_of(name: str, parameter: inspect.Parameter) -> str | None:
    """What a parameter takes: ``"tensor"``, ``"tensors"`` or neither."""
    info = getattr(FUNCTIONS[name], "info", None)
    if info is None:
        return boundary.parameter_takes(parameter)
    return "tensors" if parameter.kind is parameter.VAR_POSITIONAL else "tensor" if parameter.name in info.arguments else None


def positions() -> Iterator[tuple[str, str]]:
    """Every parameter that takes tensors, but the tensor whose method it is, and what in-place forms hand to the function."""
    for name, function in FUNCTIONS.items():
        end = 1 if function.__code__.co_name == "inplace" else None
        for parameter in parameters_of(name)[name.startswith("Tensor."):end]:
            if kind_of(name, parameter):
                yield name, parameter.name


POSITIONS = list(positions())

# ---------------------------------------------------------------------------------------------------- right arguments

FLOATS = minigrad.tensor([[0.5, 0.25], [0.125, 0.75]])
LONGS = minigrad.tensor([[0, 1], [1, 0]])
INTS = minigrad.tensor([1, 2], dtype=minigrad.int32)
# By the name of the parameter.
GIVEN = {
    "C": 2, "HxW": 1, "LU_pivots": INTS, "N": 2, "add_zero_attn": False, "axis0": 0, "axis1": 1, "bins": 3,
    "boundaries": FLOATS[0], "chunks": 1, "condition": FLOATS > 0.2, "destination": 1, "dim": 0, "dim0": 0, "dim1": 1,
    "dimension": 0, "dims": (0, 1), "downscale_factor": 1, "dropout_p": 0.0, "dtype": minigrad.int64, "embed_dim_to_check": 2,
    "eps": 1e-5, "fill_value": 1.0, "group": 1, "groups": 1, "index": LONGS, "indices": LONGS, "indices_or_sections": 1,
    "input_lengths": LONGS[0], "k": 1, "kernel_size": 1, "length": 1, "mask": FLOATS > 0.2, "max": 1.0, "maxnorm": 1.0,
    "min": 0.0, "momentum": 0.1, "n": 1, "n_fft": 2, "norm_type": 2, "normalized_shape": (2,), "num_groups": 1, "num_heads": 1,
    "num_samples": 1, "output_size": 1, "p": 2, "pad": (0, 0), "pivots": INTS, "q": 0.5, "reduce": "amax", "shape": (2, 2),
    "shifts": 1, "size": (2, 2), "sizes": (2, 1), "sorted_sequence": FLOATS[0], "source": FLOATS, "split_size_or_sections": 1,
    "split_sizes": (1, 1), "start": 0, "step": 1, "steps": 2, "stride": (2, 1), "target_lengths": LONGS[0], "threshold": 0.0,
    "training": False, "upper": 1.0, "upscale_factor": 1, "value": 1.0}
# Of functions that need others. A tuple in a tensor's place is its shape.
ONE_D = {"input": (1, 2, 2), "weight": (2, 2, 1)}
TWO_D = {"input": (1, 2, 2, 2), "weight": (2, 2, 1, 1)}
THREE_D = {"input": (1, 2, 2, 2, 2), "weight": (2, 2, 1, 1, 1)}
CHANNELS = {"weight": (2,), "bias": (2,), "running_mean": (2,), "running_var": (2,)}
ATTENTION = dict.fromkeys(("query", "key", "value"), (2, 1, 2)) | {
    "in_proj_weight": (6, 2), "in_proj_bias": (6,), "bias_k": (1, 1, 2), "bias_v": (1, 1, 2), "out_proj_weight": (2, 2),
    "out_proj_bias": (2,), "q_proj_weight": (2, 2), "k_proj_weight": (2, 2), "v_proj_weight": (2, 2)}
FRACTIONAL = {"input": (1, 2, 2, 2), "output_size": 1, "_random_samples": (1, 1, 3)}
APART = ("q_proj_weight", "k_proj_weight", "v_proj_weight")
OWN: dict[str, dict[str, Any]] = {
    "batch_norm": CHANNELS, "bilinear": {"weight": (1, 2, 2)}, "clamp": {"min": 0.0}, "clip": {"min": 0.0}, "conv1d": ONE_D,
    "conv2d": TWO_D, "conv3d": THREE_D, "conv_tbc": {"input": (1, 2, 2), "weight": (1, 2, 2), "bias": (2,)},
    "conv_transpose1d": ONE_D, "conv_transpose2d": TWO_D, "conv_transpose3d": THREE_D,
    "cross": {"input": (2, 3), "other": (2, 3)}, "ctc_loss": {"log_probs": (2, 2, 2)},
    "embedding_bag": {"input": LONGS[0], "mode": "sum", "offsets": LONGS[0]}, "fill": {"value": ()},
    "fractional_max_pool2d": FRACTIONAL | {"input": (1, 2, 2)},
    "fractional_max_pool2d_with_indices": FRACTIONAL | {"input": (1, 2, 2)},
    "fractional_max_pool3d": FRACTIONAL, "fractional_max_pool3d_with_indices": FRACTIONAL,
    "index_fill": {"index": LONGS[0]}, "index_fill_": {"index": LONGS[0]}, "index_reduce": {"index": LONGS[0]},
    "index_reduce_": {"index": LONGS[0]}, "linspace": {"end": 1.0}, "lobpcg": {"A": (4, 4)},
    "logspace": {"end": 1.0}, "masked_fill": {"value": 1.0},
    "masked_fill_": {"value": 1.0}, "max_unpool2d": {"input": (1, 2, 2)}, "max_unpool3d": {"input": (1, 2, 2, 2)},
    "movedim": {"source": 0}, "moveaxis": {"source": 0}, "multi_head_attention_forward": ATTENTION,
    "native_batch_norm": CHANNELS, "native_group_norm": CHANNELS, "native_layer_norm": CHANNELS,
    "nonzero_static": {"size": 1}, "prelu": {"weight": (1,)}, "scaled_dot_product_attention": ATTENTION,
    "segment_reduce": {"data": FLOATS, "reduce": "sum", "lengths": LONGS[0]}, "select": {"index": 0},
    "select_copy": {"index": 0}, "select_scatter": {"index": 0}, "unfold": {"size": 1}, "unfold_copy": {"size": 1},
    "stft": {"input": (8,), "return_complex": True, "hop_length": 1}, "istft": {"input": FLOATS + 0j, "hop_length": 1}}

# These take more than PyTorch's do, or say something else first.
EXCEPTED = {
    *[(name, "self") for name in ("is_conj", "is_inference", "is_neg", "resolve_conj", "resolve_neg")],  # the same for anything
    ("Tensor.copy_", "src"), ("Tensor.fill_", "value"),  # lists of numbers too
    ("ctc_loss", "input_lengths"), ("ctc_loss", "target_lengths"),  # tuples of integers too, as PyTorch's
    ("index_put", "indices"), ("Tensor.index_put", "indices"), ("Tensor.index_put_", "indices"),  # what indices there may be
    ("lobpcg", "iK"), ("segment_reduce", "indices"), ("segment_reduce", "offsets")}  # not used, or with other arguments only


def given(name: str, parameter: inspect.Parameter, kind: str | None) -> Any:
    """A right value of a parameter."""
    own = OWN.get(name.rpartition(".")[2], {})
    value = own.get(parameter.name, GIVEN.get(parameter.name, FLOATS) if kind else GIVEN.get(parameter.name))
    value = minigrad.ones(value) if kind and isinstance(value, tuple) else value
    return [value, value] if kind == "tensors" else value


def outcome(name: str, position: str, wrong: Any) -> Exception | None:
    """What the function raises that is given `wrong` for the parameter `position`, all others being right or left out."""
    args: list[Any] = []
    named = {}
    for k, parameter in enumerate(parameters_of(name)):
        kind = kind_of(name, parameter)
        chosen = parameter.name == position or parameter.name in OWN.get(name.rpartition(".")[2], {})
        if not chosen and (parameter.default is not parameter.empty or parameter.kind in STARRED and not kind):
            continue
        value = wrong if parameter.name == position else given(name, parameter, kind)
        if position in APART:
            named["use_separate_proj_weight"] = True
        if parameter.kind is parameter.KEYWORD_ONLY or len(args) < k:
            named[parameter.name] = value
        elif parameter.kind is parameter.VAR_POSITIONAL:
            args.extend(value if isinstance(value, list) else [value, value])
        else:
            args.append(value)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            FUNCTIONS[name](*args, **named)
    except Exception as error:
        return error
    return None


# ---------------------------------------------------------------------------------------------------- tests

REFUSAL = re.compile(r"([\w.]+)\(\): argument '(\w+)' must be (?:a Tensor|tuple of Tensors).*?(?:not|of type) (\w+)")


def test_every_parameter_and_result_has_a_type() -> None:
    unknown = set()
    for name, function in FUNCTIONS.items():
        signature = inspect.signature(function)
        unknown |= {(name, p.name) for p in signature.parameters.values()
                    if p.annotation in ("Any", p.empty) and p.name != "self"}
        if signature.return_annotation in ("Any", signature.empty) and name not in RETURNS_ANYTHING:
            unknown.add((name, "return"))
    assert unknown == ANYTHING & unknown, "annotate these with a type, or say in ANYTHING why they take anything"
    assert not ANYTHING - unknown, "these have a type by now"


def test_there_is_something_to_test() -> None:
    assert len(FUNCTIONS) > 900 and len(POSITIONS) > 850
    some = {("mul", "other"), ("nn.functional.mse_loss", "target"), ("linalg.solve", "B"), ("Tensor.where", "other")}
    assert some <= {*POSITIONS}


@pytest.mark.parametrize(("name", "position"), [p for p in POSITIONS if p not in EXCEPTED])
def test_what_is_no_tensor_is_refused_by_name(name: str, position: str) -> None:
    for wrong in ([1.0, 2.0], "abc", object()):
        error = outcome(name, position, wrong)
        assert isinstance(error, ArgumentError), f"{type(wrong).__name__}: {error!r}"
        said = REFUSAL.match(str(error))
        assert said, str(error)
        assert said[2] == position.replace("self", "input"), str(error)
        assert said[3] in (type(wrong).__name__, "float", "str"), str(error)
        if not hasattr(FUNCTIONS[name], "info"):
            assert said[1].rpartition(".")[2] == name.rpartition(".")[2], str(error)


@pytest.mark.parametrize(("name", "position"), POSITIONS)
def test_numbers_and_arrays_and_none_serve_or_are_refused_on_purpose(name: str, position: str) -> None:
    for wrong in (3, None, np.ones((2, 2))):
        error = outcome(name, position, wrong)
        assert not isinstance(error, (AttributeError, TypeError)) or isinstance(error, MinigradError), f"{wrong}: {error!r}"


def test_in_a_sequence_the_element_is_named() -> None:
    with pytest.raises(ArgumentError, match="argument 'tensors' must be tuple of Tensors, but element 1 is of type list"):
        minigrad.hstack([FLOATS, [1.0]])
    with pytest.raises(ArgumentError, match=r"must be tuple of Tensors, not Tensor; put them into a list: cat\(\[x, y\]\)"):
        minigrad.cat(FLOATS)
    with pytest.raises(ArgumentError, match="must be tuple of Tensors, not int"):
        minigrad.stack(3)


def test_the_argument_that_failed_is_named_not_one_that_may_be_none() -> None:
    with pytest.raises(ArgumentError, match=r"batch_norm\(\): argument 'weight' must be a Tensor, not list"):
        F.batch_norm(FLOATS, None, None, weight=[1.0, 1.0], training=True)
    with pytest.raises(minigrad.errors.ShapeError, match="weight should contain 2 elements"):
        F.batch_norm(FLOATS, None, None, weight=FLOATS, training=True)


def test_what_a_parameter_takes_is_read_from_its_annotation() -> None:
    """Not from its name: a number may be called as a tensor elsewhere."""
    def between(input: minigrad.Tensor, a: float, b: float) -> minigrad.Tensor:
        return minigrad.clamp(input, min=a + 0.0, max=b + 0.0)

    between.__annotations__ = {"input": "Tensor", "a": "float", "b": "float", "return": "Tensor"}
    public = boundary.public(between, "between", __name__, "between")
    with pytest.raises(ArgumentError, match=r"between\(\): argument 'b' must be float, not str"):
        public(FLOATS, 0.0, "abc")
    with pytest.raises(ArgumentError, match=r"between\(\): argument 'input' must be a Tensor, not str"):
        public("abc", 0.0, 1.0)
    kinds = {"Tensor": "tensor", "Tensor | Number | None": "tensor", "Sequence[Tensor]": "tensors", "float": None,
             "Sequence[Tensor | None]": "tensors", "Tensor | int | Sequence[int]": None, "Callable[[Tensor], Tensor]": None}
    assert {annotation: boundary.takes(annotation) for annotation in kinds} == kinds
    assert boundary.takes("Tensor", several=True) == boundary.takes("Tensor | Sequence[Tensor]", several=True) == "tensors"


@pytest.mark.parametrize(("call", "message"), [
    (lambda x: x.sum("a"), "sum(): argument 'dim' must be int or tuple of ints or None, not str"),
    (lambda x: x.sum((0, "a")), "sum(): argument 'dim' must be int or tuple of ints or None, not tuple with (0, 'a')"),
    (lambda x: x.topk("a"), "topk(): argument 'k' must be int, not str"),
    (lambda x: x.unsqueeze(None), "unsqueeze(): argument 'dim' must be int, not NoneType"),
    (lambda x: x.transpose(0, 1.5), "transpose(): argument 'dim1' must be int, not float"),
    (lambda x: minigrad.addmm(x, x, x, beta="a"), "addmm(): argument 'beta' must be a number, not str"),
    (lambda x: minigrad.chunk(x, "a"), "chunk(): argument 'chunks' must be int, not str"),
    (lambda x: F.dropout(x, "a"), "dropout(): argument 'p' must be float, not str"),
    (lambda x: F.one_hot(x.long(), "a"), "one_hot(): argument 'num_classes' must be int, not str"),
    (lambda x: minigrad.meshgrid(x[0], indexing=3), "meshgrid(): argument 'indexing' must be str or None, not int")])
def test_a_setting_of_another_kind_is_named(call: Any, message: str) -> None:
    with pytest.raises(ArgumentError) as raised:
        call(FLOATS)
    assert str(raised.value) == message


def test_errors_of_other_kinds_are_left_as_they_are() -> None:
    with pytest.raises(minigrad.errors.DimensionError, match="chunk: Dimension out of range"):
        minigrad.chunk(FLOATS, 2, 5)
    with pytest.raises(TypeError, match=r"^chunk\(\) missing 1 required positional argument: 'chunks'$"):
        minigrad.chunk(FLOATS)
    with pytest.raises(TypeError, match=r"^chunk\(\) got an unexpected keyword argument 'dims'(\. Did you mean 'dim'\?)?$"):
        minigrad.chunk(FLOATS, 2, dims=0)


def test_public_functions_keep_signature_documentation_and_pickle() -> None:
    from_inside = inspect.unwrap(minigrad.chunk)
    assert inspect.signature(minigrad.chunk) == inspect.signature(from_inside) and minigrad.chunk.__doc__ == from_inside.__doc__
    for function in (minigrad.chunk, F.softmax, linalg.norm, F.celu, minigrad.Tensor.gather):
        assert pickle.loads(pickle.dumps(function)) is function
