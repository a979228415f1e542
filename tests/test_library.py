"""minigrad.library: operations declared outside minigrad, and what a library of arrays must be to be registered.

A library that is registered stays for as long as the process runs, so these tests register none; ``tests/test_extending.py``
does.
"""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from typing import Any, Iterator

import numpy as np
import pytest

import minigrad as mg
from minigrad import _arrays, library
from minigrad.errors import ArgumentError, DeviceError
from minigrad.recording import codegen
from minigrad.recording.call import REGISTRY
from minigrad.recording.operators import operator_form
from tests.documents import ROOT

# ---------------------------------------------------------------------------------------------------- operations


@pytest.fixture
def softplus_like() -> Iterator[Any]:
    """An operation with one argument and a setting, declared as a user would."""
    @library.op(dtypes="float")
    def library_softplus(input: Any, *, beta: float = 1.0) -> Any:
        """log(1 + exp(beta x)) / beta"""
        return np.logaddexp(0, input * beta) / beta
    @library_softplus.derivative("input")
    def library_softplus_wrt_input(g: Any, input: Any, beta: float) -> Any: return g * mg.sigmoid(input * beta)
    yield library_softplus
    del REGISTRY["library_softplus"]


def test_an_operation_of_a_users_own_is_complete(softplus_like: Any) -> None:
    f, x = softplus_like, mg.tensor([0.5, -1.0], dtype=mg.float64, requires_grad=True)
    want = np.log(1 + np.exp(2 * x.detach().numpy())) / 2
    assert mg.allclose(f(x, 2.0), mg.tensor(want)) and mg.allclose(f(x, beta=2.0), mg.tensor(want))
    assert type(f(want)) is np.ndarray and f(mg.arange(2)).dtype is mg.float32
    assert mg.autograd.gradcheck(f, x) and mg.autograd.gradgradcheck(lambda t: f(t, beta=2.0), x)
    assert f(x).grad_fn.name() == "LibrarySoftplusBackward0"
    out = mg.empty(2, dtype=mg.float64)
    assert f(x.detach(), 2.0, out=out) is out and mg.allclose(out, mg.tensor(want))
    y = x * 1.0
    assert f.inplace(y, beta=2.0) is y and mg.allclose(y, mg.tensor(want)) and y.grad_fn.name() == "LibrarySoftplusBackward0"
    assert "LibrarySoftplusBackward0" in {op.node for op in mg.viz.draw(f(x).sum()).graph.operations.values()}
    assert mg.func.vmap(f)(x.detach()).shape == (2,) and "def library_softplus(" in f.source
    assert list(inspect.signature(f).parameters) == ["input", "beta", "out"]
    with pytest.raises(TypeError, match=r"library_softplus\(\): argument 'input' must be a Tensor, not list"):
        f([1.0])


def test_annotations_may_be_postponed_or_not() -> None:
    source = """
def scaled_sum(x, *, dim: int = 0, alpha: float = 2.0, kind: "Missing | None" = None):
    return x.sum(dim) * alpha
"""
    for first in ("", "from __future__ import annotations"):
        names: dict[str, Any] = {"__name__": "__main__"}
        exec(compile(f"{first}\n{source}", "<annotated>", "exec", dont_inherit=True), names)
        function: Any = library.op(differentiable=False, layout="contiguous")(names["scaled_sum"])
        parameters = inspect.signature(function).parameters.values()
        assert [p.annotation for p in parameters if p.name in ("dim", "alpha")] == ["int", "float"]
        with pytest.raises(ArgumentError, match=r"^scaled_sum\(\): argument 'alpha' must be float, not str$"):
            function(mg.ones(2, 2), alpha="a")
        REGISTRY.pop("scaled_sum")


def test_a_name_that_is_taken_is_refused_whether_or_not_its_module_was_in_use() -> None:
    for name in ("mul", "convolution"):
        scope: dict[str, Any] = {"__name__": "somebodys"}
        exec(f"def {name}(input): return input", scope)
        with pytest.raises(TypeError, match=rf"'{name}' is the name of an operation that minigrad\.ops\.\w+\.\w+ declares"):
            library.op(scope[name])
    script = "import minigrad.library; from minigrad.recording.call import REGISTRY; import minigrad.nn; print(len(REGISTRY))"
    counts = [subprocess.run([sys.executable, "-c", s], capture_output=True, text=True, check=True, cwd=ROOT).stdout
              for s in (script, script.replace("; import minigrad.nn", ""))]
    assert counts[0] == counts[1], "importing minigrad.nn declared operations whose names a user could have taken"


def test_a_cell_that_is_run_again_replaces_its_operation() -> None:
    cell = ("def library_twice(input): return input * FACTOR\n"
            "library_twice = op(library_twice)\n"
            "def library_twice_wrt_input(g): return g * FACTOR\n"
            "library_twice.derivative('input')(library_twice_wrt_input)\n")
    scope: dict[str, Any] = {"__name__": "__main__", "op": library.op}
    for factor in (2.0, 3.0):
        exec(cell, scope | {"FACTOR": factor}, found := {})
        x = mg.ones(1, requires_grad=True)
        found["library_twice"](x).backward()
        assert x.grad.item() == factor
    del REGISTRY["library_twice"]


UNDECLARABLE = {
    "def f(x, **more): return x": r"f takes \*\*more; each setting must have a name",
    "def f(x, y=2): return x": r"an array argument of f has a default other than None; settings stand after a \*",
    "def f(): return 1": "f must take array arguments by position",
    "def f(x, *more): return x": "f must take array arguments by position: each by name, or one starred sequence",
    "f = lambda x: x": "declared by a function written with def",
    "import math; f = math.exp": "declared by a function written with def",
}


@pytest.mark.parametrize("source", UNDECLARABLE)
def test_a_forward_without_a_call_path_is_refused(source: str) -> None:
    scope: dict[str, Any] = {}
    exec(source, scope)
    with pytest.raises(TypeError, match=UNDECLARABLE[source]):
        library.op(scope["f"])


def test_parameters_that_generated_code_has_itself_are_refused() -> None:
    """What generated code names, and is no parameter, is known: else a parameter of that name would be overwritten."""
    for name, op in REGISTRY.items():
        info = op.info
        own = {*info.arguments, *info.settings, codegen.own_name(info), "axis", "keepdims"}
        own |= {f"{a}{end}" for a in info.arguments for end in ("_", "_edge")} | {f"default_{s}" for s in info.settings}
        for source in (str(op.source), str(operator_form(op).source)):
            names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)} - own
            known = {*op.__globals__, *codegen.OWN_NAMES, "Exception", "TypeError", "tuple", "list"}
            if isinstance(info.outputs, tuple):
                known |= {f"out_{k}" for k in range(len(info.outputs))} | {*codegen.result_names(info)}
                known |= {f"{name}_0" for name in codegen.OWN_NAMES[-4:]}
            if info.variadic:
                known |= {*codegen.VARIADIC_NAMES, "any", "len", "range", "a", "e", "t"}  # the last three in comprehensions
            assert names <= known, f"{name}: {names - known}"
    for parameter in ("mode", "node", "result", "info", "out", "saved"):
        scope: dict[str, Any] = {}
        exec(f"def library_clash(input, *, {parameter}=None): return input", scope)
        op = library.op(differentiable=False)(scope["library_clash"])
        with pytest.raises(TypeError, match=f"a parameter of library_clash cannot be called '{parameter}'"):
            op(mg.ones(1))
        del REGISTRY["library_clash"]


def test_a_setting_may_have_the_operations_own_name() -> None:
    out = mg.empty(2)
    assert mg.threshold(mg.tensor([0.0, 3.0]), 1.0, 2.0, out=out) is out and out.tolist() == [2.0, 3.0]


def test_two_rules_of_one_name_and_several_results_unannounced_are_refused(softplus_like: Any) -> None:
    @library.op(broadcasts=True)
    def library_sum(input: Any, other: Any) -> Any: return input + other
    def rule(g: Any) -> Any: return g
    first = rule
    library_sum.derivative("input")(first)
    def rule(g: Any) -> Any: return g * 1  # type: ignore[no-redef]
    with pytest.raises(TypeError, match="another rule of library_sum has that name; call this one library_sum_wrt_other"):
        library_sum.derivative("other")(rule)
    with pytest.raises(TypeError, match="a rule is written as a function, not as a lambda"):
        library_sum.derivative("other")(lambda g: g)

    @library.op(differentiable=False)
    def library_pair(input: Any) -> Any: return input, input
    with pytest.raises(TypeError, match="a forward returned a tuple of 2, but its operation is declared with one result"):
        library_pair(mg.ones(1))
    del REGISTRY["library_sum"], REGISTRY["library_pair"]


def test_a_joint_rule_gives_what_is_wanted_of_several_gradients() -> None:
    asked: list[tuple[bool, ...]] = []

    @library.op(dtypes="same")
    def library_affine(input: Any, weight: Any, bias: Any = None) -> Any:
        return input * weight if bias is None else input * weight + bias

    @library_affine.derivative("input", "weight")
    def library_affine_slopes(g: Any, input: Any, weight: Any, wanted: Any) -> Any:
        asked.append(wanted)
        return g * weight, g * input if wanted[1] else None
    @library_affine.derivative("bias")
    def library_affine_wrt_bias(g: Any) -> Any: return g

    try:
        x, w, b = (mg.tensor([v], requires_grad=True) for v in (2.0, 3.0, 5.0))
        for inputs, wanted, kept in (((x, w, b), (True, True), 2), ((x.detach(), w, b), (False, True), 2),
                                     ((x, w.detach(), None), (True, False), 2), ((x.detach(), w.detach(), b), None, 0)):
            asked.clear()
            y = library_affine(*inputs)
            assert y.item() == (11 if inputs[2] is not None else 6)
            assert sum([a is not None for a in y.node.saved]) == kept
            leaves = [t for t in inputs if t is not None and t.requires_grad]
            grads = mg.autograd.grad(y, leaves)
            assert [g.item() for g in grads] == [{id(x): 3.0, id(w): 2.0, id(b): 1.0}[id(t)] for t in leaves]
            assert asked == ([] if wanted is None else [wanted])
        first = mg.autograd.grad(library_affine(x, w, b) ** 2, (x, w), create_graph=True)
        assert [g.item() for g in first] == [66.0, 44.0]
        assert [g.item() for g in mg.autograd.grad(first[0], (x, w, b))] == [18.0, 34.0, 6.0]
        y = library_affine(x.half().detach(), w.half())
        assert mg.autograd.grad(y, w)[0].dtype is mg.float32

        library_affine.derivative("weight")(library_affine_wrt_weight)
        assert [g.item() for g in mg.autograd.grad(library_affine(x, w, b), (x, w))] == [3.0, 20.0]
        for wrong, said in ((("input", "input"), "each once"), ((), "the names of array arguments"),
                            (("input", "slope"), "library_affine has no array argument 'slope'")):
            with pytest.raises(TypeError, match=said):
                library_affine.derivative(*wrong)(library_affine_slopes)
        with pytest.raises(TypeError, match="library_affine has no 'wanted'"):
            library_affine.derivative("input")(library_affine_slopes)
    finally:
        del REGISTRY["library_affine"]


def library_affine_wrt_weight(g: Any, input: Any) -> Any:
    """Ten times too much, to be told from the joint rule that it takes the place of."""
    return g * input * 10


# ---------------------------------------------------------------------------------------------------- libraries of arrays

class Held(np.lib.mixins.NDArrayOperatorsMixin):
    """An array that holds one; what it gives is wrapped by the class that it is of, so that subclasses can spoil it."""

    base: Any = None

    def __init__(self, host: Any) -> None:
        self.host = host

    def give(self, found: Any, view: bool = False) -> Any:
        made = type(self)(np.asarray(found))
        made.base = self if view else None
        return made

    def take(self, x: Any) -> Any:
        if isinstance(x, np.ndarray):
            raise TypeError("a NumPy array")
        return [self.take(i) for i in x] if isinstance(x, list) else x.host if isinstance(x, Held) else x

    def __array_ufunc__(self, ufunc: Any, method: str, *args: Any, **options: Any) -> Any:
        return self.give(ufunc(*map(self.take, args)))

    def __array_function__(self, function: Any, types: Any, args: Any, options: Any) -> Any:
        return self.give(function(*map(self.take, args)))

    def __getitem__(self, index: Any) -> Any:
        return self.give(self.host[index], view=True)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.host[index] = self.take(value)

    def __iter__(self) -> Iterator[Any]:
        return (self[k] for k in range(len(self)))

    def sum(self) -> Any:
        return self.give(self.host.sum())


def plain(name: str) -> Any:
    """A member that gives what the array held has, which is all that the look at an array asks of most of them."""
    return property(lambda self: getattr(self.host, name))


for _name in (*library.ARRAY_ATTRIBUTES, *library.ARRAY_METHODS):
    if _name not in Held.__dict__ and not _name.startswith("__"):
        setattr(Held, _name, plain(_name))
for _name in ("__bool__", "__complex__", "__float__", "__int__", "__len__"):
    setattr(Held, _name, lambda self, _name=_name: getattr(self.host, _name)())


class HeldLibrary(library.ArrayLibrary):
    device_type = "held"
    array_type: type = Held

    def to_numpy(self, x: Any, non_blocking: bool = False) -> Any:
        return x.host.copy()

    def from_numpy(self, x: Any, device: Any, non_blocking: bool = False) -> Any:
        return self.array_type(x.copy())


class Subclass(np.ndarray):
    pass


def with_facts(**members: Any) -> type[HeldLibrary]:
    """The library with other `members`."""
    return type("Spoiled", (HeldLibrary,), members)


def with_arrays(**members: Any) -> type[HeldLibrary]:
    """The library with arrays of a class that has other `members`."""
    return with_facts(array_type=type("Other", (Held,), members))


TAKES_ANY = {"take": lambda self, x: [self.take(i) for i in x] if isinstance(x, list) else getattr(x, "host", x)}
SPOILED: dict[str, tuple[Any, type[Exception], str]] = {
    "no library": (object, ArgumentError, "must be an instance of a subclass of minigrad.library.ArrayLibrary, not object"),
    "a class": (lambda: HeldLibrary, ArgumentError, "not HeldLibrary itself"),
    "no facts": (library.ArrayLibrary, ArgumentError,
                 r"ArrayLibrary does not define device_type, array_type, to_numpy\(\), from_numpy\(\)$"),
    "three facts": (with_facts(from_numpy=library.ArrayLibrary.from_numpy), ArgumentError, r"does not define from_numpy\(\)$"),
    "a name that is taken": (with_facts(device_type="cpu"), DeviceError,
                             "device_type is 'cpu', which belongs to NumpyLibrary; choose a name of its own"),
    "CuPy's name": (with_facts(device_type="cuda"), DeviceError, "which belongs to CuPy; choose"),
    "no name": (with_facts(device_type="held:0"), DeviceError, "but must be an identifier, such as 'toy'"),
    "no class": (with_facts(array_type="Held"), ArgumentError, "array_type must be a class, not 'Held'"),
    "a subclass of NumPy's": (with_facts(array_type=Subclass), ArgumentError,
                              r"Subclass, is a subclass of numpy.ndarray. .* taken for NumPy's without a word. Let the class"),
    "NumPy's own class": (with_facts(array_type=np.ndarray), ArgumentError, "ndarray, is a subclass of numpy.ndarray"),
    "a base of NumPy's": (with_facts(array_type=object), ArgumentError, "object, is that of device type 'cpu', or a base"),
    "arrays of another class": (with_facts(from_numpy=lambda self, x, device: 3), ArgumentError, "gives a int, not a Held"),
    "a number for a sum": (with_arrays(sum=lambda self: self.host.sum()), ArgumentError, r"x.sum\(\) gives a float32, not a"),
    "a function": (with_arrays(__array_function__=lambda *args: NotImplemented), ArgumentError,
                   r"for an array x, np.sum\(x\) raises TypeError: no implementation found"),
    "views without base": (with_arrays(give=lambda self, found, view=False: type(self)(np.asarray(found))), ArgumentError,
                           r"x\[0\].base is not x"),
    "operands of NumPy's": (with_arrays(**TAKES_ANY), ArgumentError, r"x \+ y, of an array x and a NumPy array y"),
    "memory shared": (with_facts(from_numpy=lambda self, x, device: Held(x)), ArgumentError,
                      "does not give back what from_numpy"),
    "another device": (with_facts(device_of=lambda self, x: mg.device("cpu")), ArgumentError,
                       r"device_of\(\) says cpu of an array that was made on held"),
    "dtypes of its own": (with_arrays(dtype=property(lambda self: self.host.dtype.newbyteorder(">"))), ArgumentError,
                          "not numpy.dtype"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_a_library_that_will_not_do_is_refused_and_not_registered(what: str) -> None:
    make, error, match = SPOILED[what]
    before = dict(_arrays.libraries)
    with pytest.raises(error, match=match):
        library.register_array_library(make())
    assert _arrays.libraries == before


@pytest.mark.parametrize("name", [*library.ARRAY_ATTRIBUTES, *library.ARRAY_METHODS, *library.ARRAY_OPERATORS])
def test_each_attribute_method_and_operator_is_looked_for(name: str) -> None:
    def lookup(self: Any, asked: str) -> Any:
        if asked == name:
            raise AttributeError(asked)
        return object.__getattribute__(self, asked)

    spoiled = with_arrays(**{name: None} if name.startswith("__") else {"__getattribute__": lookup})
    with pytest.raises(ArgumentError, match=rf"Other, lacks {name}$"):
        library.register_array_library(spoiled())


def test_the_unspoiled_library_would_do() -> None:
    assert list(library.why_not_arrays(HeldLibrary())) == [] and list(library.why_not_an_array_type(Held)) == []
    assert library.why_not_a_device_type("held") is None


def test_what_a_library_does_not_say_goes_by_way_of_the_host() -> None:
    lib, device = HeldLibrary(), mg.device("held")
    x = lib.from_numpy(np.zeros(3), device)
    lib.index_add(x, (lib.from_numpy(np.array([0, 0, 2]), device),), lib.from_numpy(np.array([1.0, 2.0, 3.0]), device))
    assert x.host.tolist() == [3.0, 0.0, 3.0]
    lib.index_reduce(np.multiply, x, (lib.from_numpy(np.array([0, 0]), device),), lib.from_numpy(np.array([2.0, 5.0]), device))
    assert x.host.tolist() == [30.0, 0.0, 3.0]
    made = [lib.make(device, "zeros", (2,), np.float32), lib.xp.arange(3), lib.generator(0, device).random(2),
            lib.copy_between(x, device)]
    assert all(type(array) is Held for array in made) and made[1].host.tolist() == [0, 1, 2]
    assert lib.resolve(mg.device("held:0")) == device == lib.device_of(x) and lib.device_count() == 1
    with pytest.raises(DeviceError, match="device 'held:1' does not exist, there is only 'held'"):
        lib.resolve(mg.device("held:1"))
    with pytest.raises(DeviceError, match=r"as_strided need address_of\(\), which the array library of device 'held'"):
        lib.address_of(x)
    with pytest.raises(DeviceError, match=r"unfold need as_strided\(\), which the array library of device 'held', HeldLibrary"):
        lib.as_strided(x, (1,), (8,))


def test_it_is_imported_when_first_asked_for() -> None:
    script = "import sys, minigrad; print('minigrad.library' in sys.modules, minigrad.library.op.__name__)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["False", "op"]
