"""The promises of layers and losses, each a check of one :class:`tests.module_cases.ModuleCase`."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any, Callable, Iterator

import numpy as np

import minigrad as mg
from tests.module_cases import Bad, ModuleCase

F = mg.nn.functional
REFUSED = (AssertionError, RuntimeError)  # what a check raises where a module is wrong


def built(case: ModuleCase, make: Callable[[Any], Any] | None = None) -> Any:
    """The module in double precision, with every parameter and buffer at values that are not those it begins with."""
    mg.manual_seed(1)
    module = (make or case.make)(mg)
    if module.__class__.__name__.startswith("Lazy"):
        module(*tensors(case.inputs, mg.float32))  # which makes its parameters
    module = module.double()
    rng = np.random.default_rng(1)
    with mg.no_grad():
        for p in module.parameters():
            p.copy_(mg.tensor(p.detach().numpy() + rng.normal(0, 0.2, p.shape)))
        for b in module.buffers():
            if b.is_floating_point():
                b.copy_(mg.tensor(rng.uniform(0.3, 0.99, b.shape)))
    return module


def each(x: Any, change: Callable[[Any], Any]) -> Any:
    """`change` of every array or tensor in `x`, and in the tuples in it."""
    if isinstance(x, (tuple, list)):
        return tuple([each(part, change) for part in x])
    return change(x) if isinstance(x, (np.ndarray, mg.Tensor)) else x


def leaves(x: Any) -> list[Any]:
    """Every array or tensor in `x`, in order."""
    return [t for part in x for t in leaves(part)] if isinstance(x, (tuple, list)) else [x] if hasattr(x, "dtype") else []


def tensors(inputs: Any, dtype: Any = None, device: Any = None) -> Any:
    """The inputs as tensors; floating ones in `dtype`, where that is given."""
    def convert(a: Any) -> Any:
        return mg.tensor(a, dtype=dtype if a.dtype.kind == "f" else None, device=device)
    return each(inputs, convert)


def state_of(module: Any) -> dict[str, Any]:
    return {name: t.detach().numpy().copy() for name, t in [*module.named_parameters(), *module.named_buffers()]}


def results(out: Any) -> list[Any]:
    return [t.detach().cpu().numpy() for t in leaves(out)]


def run(module: Any, inputs: Any) -> list[Any]:
    """What the module returns for NumPy arrays, as NumPy arrays, the same random numbers drawn every time."""
    mg.manual_seed(3)
    return results(module(*tensors(inputs)))


def same(found: list[Any], wanted: list[Any], rtol: float = 1e-9, atol: float = 1e-11) -> None:
    assert len(found) == len(wanted), f"{len(found)} results instead of {len(wanted)}"
    for a, b in zip(found, wanted):
        assert a.shape == np.shape(b), f"shape {a.shape} instead of {np.shape(b)}"
        np.testing.assert_allclose(a, b, rtol=rtol, atol=atol)


# ---------------------------------------------------------------------------------------------------- the checks

def check_forward(case: ModuleCase, make: Callable[[Any], Any] | None = None) -> None:
    """In training and in evaluation the result is the reference's; inputs and parameters stay as they are."""
    module = built(case, make)
    for mode in (True, False):
        assert module.train(mode) is module and all(m.training is mode for m in module.modules())
        state, inputs = state_of(module), tensors(case.inputs)
        mg.manual_seed(3)
        found = results(module(*inputs))
        if mode and case.drawn:
            assert case.reference(state, *case.inputs, found[0]), "not what is true of every draw"
        else:
            reference = case.reference if mode or case.evaluated is None else case.evaluated
            same(found, [np.asarray(y) for y in leaves(as_tuple(reference(state, *each(case.inputs, np.copy))))])
        same(results(inputs), leaves(case.inputs), rtol=0, atol=0)
        changed = {name for name, p in module.named_parameters() if not np.array_equal(p.detach().numpy(), state[name])}
        assert not changed or getattr(module, "max_norm", None), f"the forward changed {changed}"


def as_tuple(x: Any) -> tuple[Any, ...]:
    """The results of a reference as arrays: a number is one without dimensions."""
    return tuple([as_tuple(y) if isinstance(y, tuple) else np.asarray(y) for y in (x if isinstance(x, tuple) else (x,))])


def floating(case: ModuleCase) -> list[bool]:
    """Which of the arrays in the inputs are differentiated."""
    chosen = range(len(case.inputs)) if case.differentiable is None else case.differentiable
    return [a.dtype.kind == "f" and k in chosen for k, x in enumerate(case.inputs) for a in leaves((x,))]


def check_gradients(case: ModuleCase, make: Callable[[Any], Any] | None = None) -> None:
    """The gradients of the floating inputs and of all parameters are the slopes of the values, by central differences."""
    module = built(case, make)
    points = tensors(case.inputs)
    flat = [t.requires_grad_(wanted) for t, wanted in zip(leaves(points), floating(case))]

    def forward(*values: Any) -> Any:
        given = iter(values)
        mg.manual_seed(3)
        out = module(*each(points, lambda _: next(given)))
        return tuple([y for y in leaves((out,)) if y.is_floating_point() and y.requires_grad])

    holder = Holder(module, forward)
    assert mg.autograd.gradcheck(holder, tuple(flat), atol=1e-6, rtol=1e-5)


class Holder(mg.nn.Module):
    """A module by whose parameters, and by whose inputs one by one, `forward` is differentiated."""

    def __init__(self, module: Any, forward: Callable[..., Any]) -> None:
        super().__init__()
        self.module = module
        self.call = forward

    def forward(self, *values: Any) -> Any:
        return self.call(*values)


def check_float32(case: ModuleCase, make: Callable[[Any], Any] | None = None) -> None:
    """In float32 results and gradients are float32, near those of float64; ``.to(float64)`` and back moves all of it."""
    module = built(case, make).eval()
    exact = run(module, case.inputs)
    module.to(mg.float32)
    assert {p.dtype for p in [*module.parameters(), *module.buffers()] if p.is_floating_point()} <= {mg.float32}
    inputs = tensors(case.inputs, mg.float32)
    for t, wanted in zip(leaves(inputs), floating(case)):
        t.requires_grad_(wanted)
    out = [y for y in leaves((module(*inputs),)) if y.is_floating_point()]
    assert {y.dtype for y in out} == {mg.float32}
    same([y.detach().numpy() for y in out], [y for y in exact if y.dtype.kind == "f"], rtol=2e-4, atol=2e-5)
    total = [y.sum() for y in out if y.requires_grad]
    if total:
        sum(total).backward()
        grads = [t.grad for t in [*leaves(inputs), *module.parameters()] if t.grad is not None]
        assert grads and {g.dtype for g in grads} == {mg.float32}
    module.to(mg.float64)
    assert {y.dtype for y in leaves((module(*tensors(case.inputs)),)) if y.is_floating_point()} == {mg.float64}


def check_state(case: ModuleCase, make: Callable[[Any], Any] | None = None) -> None:
    """Saved and loaded, copied, and pickled: another module with the same results, and memory of its own."""
    module = built(case, make)
    wanted = {name for name, _ in [*module.named_parameters(), *module.named_buffers()]}
    saved = module.state_dict()
    assert set(saved) == wanted, f"state_dict lacks {wanted - set(saved)} and has {set(saved) - wanted} besides"
    twin = built(case, make)
    with mg.no_grad():
        for t in [*twin.parameters(), *twin.buffers()]:
            t.mul_(0)
    twin.load_state_dict(pickle.loads(pickle.dumps(saved)))
    for other in (twin, copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert repr(other) == repr(module)
        same(run(other.eval(), case.inputs), run(module.eval(), case.inputs), rtol=0, atol=0)
        same(list(state_of(other).values()), list(state_of(module).values()), rtol=0, atol=0)
        mine = {id(t) for t in [*module.parameters(), *module.buffers()]}
        with mg.no_grad():
            for t in [*other.parameters(), *other.buffers()]:
                assert id(t) not in mine
                t.add_(1)
        assert all(np.array_equal(saved[name].numpy(), value) for name, value in state_of(module).items())


def check_batch(case: ModuleCase, make: Callable[[Any], Any] | None = None) -> None:
    """One sample without its batch gives what it gives in one."""
    module, d = built(case, make).eval(), case.batch
    whole = run(module, case.inputs)
    for k in (0, 1):
        alone = run(module, each(case.inputs, lambda a, k=k: np.asarray(a.take(k, axis=d))))
        same(alone, [y.take(k, axis=d) for y in whole])


def check_bad(case: ModuleCase, bad: Bad) -> str:
    """The message with which a bad input is refused."""
    module = built(case)
    inputs = each(bad.inputs, lambda a: mg.tensor(a))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # a loss of sizes that differ warns, before it finds that it cannot be
        try:
            module(*inputs)
        except bad.error as error:
            return str(error)
    raise AssertionError(f"{module} took {[getattr(x, 'shape', x) for x in bad.inputs]}")


def check_functional(case: ModuleCase, make: Callable[[Any], Any] | None = None) -> None:
    """The module is the function in ``nn.functional``, bit for bit."""
    assert case.functional is not None
    module, inputs = built(case, make), tensors(case.inputs)
    same(results(case.functional(F, module, *inputs)), results(module(*inputs)), rtol=0, atol=0)


def check_device(case: ModuleCase, device: str) -> None:
    """On another array library's device: the same results and gradients, and all of them there."""
    here, there = [dict(outcomes(case, where)) for where in ("cpu", device)]
    assert set(here) == set(there)
    for name, value in here.items():
        np.testing.assert_allclose(there[name], value, rtol=1e-9, atol=1e-11, err_msg=name)


def outcomes(case: ModuleCase, device: str) -> Iterator[tuple[str, Any]]:
    module = copy.deepcopy(built(case)).to(device)
    inputs = tensors(case.inputs, device=device)
    for t, wanted in zip(leaves(inputs), floating(case)):
        t.requires_grad_(wanted)
    if case.drawn:
        module.eval()
    outs = leaves((module(*inputs),))
    total = [(y * y).sum() for y in outs if y.requires_grad]
    if total:
        sum(total).backward()
    named = [*((f"result {k}", y) for k, y in enumerate(outs)),
             *((f"gradient {k}", t.grad) for k, t in enumerate([*leaves(inputs), *module.parameters()]))]
    for name, t in named:
        if t is not None:
            assert str(t.device) == device, f"{name} is on {t.device}"
            yield name, t.detach().cpu().numpy()
