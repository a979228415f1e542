"""nn.Module and the containers: registration, names, state dictionaries, hooks, printing."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from collections import OrderedDict
from typing import Any

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.block = nn.Sequential(nn.ReLU(), nn.Linear(4, 2))
        self.scale = nn.Parameter(mg.ones(2))
        self.register_buffer("mean", mg.zeros(2))
        self.register_buffer("scratch", mg.zeros(2), persistent=False)

    def forward(self, x: Any) -> Any:
        return self.block(self.first(x)) * self.scale + self.mean


NAMES = ["scale", "first.weight", "first.bias", "block.1.weight", "block.1.bias"]


# ---------------------------------------------------------------------------------------------------- parts and names

def test_parameters_buffers_and_modules_are_found_by_name() -> None:
    net = Net()
    assert [n for n, _ in net.named_parameters()] == NAMES
    assert [n for n, _ in net.named_parameters(prefix="net", recurse=False)] == ["net.scale"]
    assert [n for n, _ in net.named_buffers()] == ["mean", "scratch"]
    assert [n for n, _ in net.named_modules()] == ["", "first", "block", "block.0", "block.1"]
    assert [n for n, _ in net.named_children()] == ["first", "block"]
    assert list(net.children()) == [net.first, net.block]
    assert len(list(net.parameters())) == 5 and len(list(net.buffers())) == 2 and len(list(net.modules())) == 5


def test_what_is_shared_is_found_once_unless_asked() -> None:
    net = nn.Module()
    net.a = nn.Linear(2, 2)
    net.b = net.a
    net.a.twin = net.a.weight
    assert [n for n, _ in net.named_parameters()] == ["a.weight", "a.bias"]
    assert [n for n, _ in net.named_parameters(remove_duplicate=False)] == ["a.weight", "a.bias", "a.twin", "b.weight", "b.bias",
                                                                            "b.twin"]
    assert [n for n, _ in net.named_modules(remove_duplicate=False)] == ["", "a", "b"]
    assert [n for n, _ in net.named_modules(prefix="p")] == ["p", "p.a"]
    assert [n for n, _ in net.named_children()] == ["a"]


def test_parts_by_dotted_path() -> None:
    net = Net()
    assert net.get_submodule("block.1") is net.block[1] and net.get_submodule("") is net
    assert net.get_parameter("block.1.bias") is net.block[1].bias
    assert net.get_buffer("mean") is net.mean
    with pytest.raises(AttributeError, match="Net has no attribute `nothing`"):
        net.get_submodule("nothing.1")
    with pytest.raises(AttributeError, match="`mean` is not an nn.Parameter"):
        net.get_parameter("mean")
    with pytest.raises(AttributeError, match="`scale` is not a buffer"):
        net.get_buffer("scale")
    with pytest.raises(AttributeError, match="`scale` is not an nn.Module"):
        net.get_submodule("scale")
    net.set_submodule("block.0", nn.Tanh())
    assert isinstance(net.block[0], nn.Tanh)
    with pytest.raises(AttributeError, match="has no attribute `7`"):
        net.set_submodule("block.7", nn.Tanh(), strict=True)


def test_assigning_before_init_says_so() -> None:
    class Late(nn.Module):
        def __init__(self) -> None:
            self.layer = nn.Linear(1, 1)

    with pytest.raises(AttributeError, match=r"cannot assign module before Module.__init__\(\) call"):
        Late()

    class LateParameter(nn.Module):
        def __init__(self) -> None:
            self.w = nn.Parameter(mg.ones(1))

    with pytest.raises(AttributeError, match=r"cannot assign parameters before Module.__init__\(\) call"):
        LateParameter()

    class Never(nn.Module):
        def __init__(self) -> None:
            self.x = 1

    with pytest.raises(AttributeError, match="has not called"):
        Never()(mg.ones(1))


def test_attributes_move_between_kinds() -> None:
    net = nn.Module()
    net.a = 1
    net.a = nn.Parameter(mg.ones(1))
    assert "a" not in net.__dict__ and [n for n, _ in net.named_parameters()] == ["a"]
    net.a = None
    assert net.a is None and list(net.named_parameters()) == []
    with pytest.raises(TypeError, match=r"cannot assign 'int' as parameter 'a' \(nn.Parameter or None expected\)"):
        net.a = 3
    net.m = nn.ReLU()
    with pytest.raises(TypeError, match="as child module 'm'"):
        net.m = 3
    net.register_buffer("b", mg.ones(1))
    net.b = mg.zeros(1)
    assert float(net.b) == 0 and dict(net.named_buffers())["b"] is net.b
    with pytest.raises(TypeError, match="as buffer 'b'"):
        net.b = 3
    del net.m
    assert not hasattr(net, "m")
    net.state = nn.Buffer(mg.ones(1))
    net.note = nn.Buffer(mg.ones(1), persistent=False)
    assert list(net.state_dict()) == ["b", "state"] and [n for n, _ in net.named_buffers()] == ["b", "state", "note"]
    del net.state, net.note
    del net.b
    assert list(net.named_buffers()) == []
    with pytest.raises(AttributeError, match="'Module' object has no attribute 'nothing'"):
        net.nothing  # noqa: B018
    with pytest.raises(AttributeError):
        del net.nothing
    assert "a" in dir(net) and "forward" in dir(net)


def test_registering_refuses_bad_names_and_values() -> None:
    net = Net()
    with pytest.raises(KeyError, match="already exists"):
        net.register_buffer("forward", mg.ones(1))
    with pytest.raises(KeyError, match='can.*t contain "[.]"'):
        net.add_module("a.b", nn.ReLU())
    with pytest.raises(KeyError, match="empty string"):
        net.register_parameter("", None)
    with pytest.raises(TypeError, match="is not a Module subclass"):
        net.add_module("x", 3)
    with pytest.raises(TypeError, match="cannot assign 'Tensor' object to parameter 'w'"):
        net.register_parameter("w", mg.ones(1))
    with pytest.raises(TypeError, match="takes 1 positional argument but 2 were given"):
        nn.Module(3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'k'"):
        nn.Module(k=3)


def test_a_module_without_forward_says_what_is_missing() -> None:
    with pytest.raises(NotImplementedError, match=r'Module \[Module\] is missing the required "forward" function'):
        nn.Module()(1)


def test_errors_name_the_innermost_module() -> None:
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes") as caught:
        Net()(mg.ones(2, 5))
    assert caught.value.__notes__ == ["in Linear(in_features=3, out_features=4, bias=True), called with [2, 5]"]


def test_modes_apply_and_gradients() -> None:
    net = Net()
    assert net.training and not net.eval().training and not net.block[0].training
    assert net.train().block[1].training
    with pytest.raises(ValueError, match="boolean"):
        net.train(1)  # type: ignore[arg-type]
    seen: list[str] = []
    assert net.apply(lambda m: seen.append(type(m).__name__)) is net
    assert seen == ["Linear", "ReLU", "Linear", "Sequential", "Net"]
    net(mg.ones(1, 3)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(float(p.grad.abs().sum()) == 0 for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())
    net.requires_grad_(False)
    assert not net(mg.ones(1, 3)).requires_grad


def test_conversions_keep_the_parameters_objects_and_integer_buffers() -> None:
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = list(net.parameters())
    net(mg.ones(3, 2)).sum().backward()
    assert net.double() is net
    assert all(a is b for a, b in zip(before, net.parameters()))
    assert net[0].weight.dtype is mg.float64 and net[0].weight.grad.dtype is mg.float64
    assert net[1].running_mean.dtype is mg.float64 and net[1].num_batches_tracked.dtype is mg.int64
    assert net.half()[0].weight.dtype is mg.float16
    assert net.to(mg.ones(1))[0].weight.dtype is mg.float32
    assert net.to("cpu", mg.float64)[0].weight.dtype is mg.float64
    assert net.float().cpu()[0].weight.dtype is mg.float32
    assert net.type(mg.float64)[1].num_batches_tracked.dtype is mg.float64
    with pytest.raises(TypeError, match="only accepts floating point or complex dtypes"):
        net.to(mg.int32)


# ---------------------------------------------------------------------------------------------------- state dictionaries

def test_state_dict_has_pytorchs_names_and_shares_memory() -> None:
    net = Net()
    state = net.state_dict()
    assert isinstance(state, OrderedDict)
    assert list(state) == ["scale", "mean", *NAMES[1:]]
    assert not state["scale"].requires_grad and state["scale"].array is net.scale.array
    assert net.state_dict(keep_vars=True)["scale"] is net.scale
    assert list(net.state_dict(prefix="p."))[0] == "p.scale"


def test_loading_copies_and_reports() -> None:
    net, other = Net(), Net()
    result = other.load_state_dict(net.state_dict())
    assert str(result) == "<All keys matched successfully>" and result.missing_keys == []
    assert all(np.array_equal(a.array, b.array) and a.array is not b.array for a, b in zip(net.parameters(), other.parameters()))
    state = net.state_dict()
    del state["first.bias"]
    state["extra"] = mg.ones(1)
    result = other.load_state_dict(state, strict=False)
    assert result == (["first.bias"], ["extra"])
    state["scale"] = mg.ones(5)
    with pytest.raises(RuntimeError) as caught:
        other.load_state_dict(state)
    text = str(caught.value)
    assert text.startswith('Error(s) in loading state_dict for Net:\n\tMissing key(s) in state_dict: "first.bias". \n\t'
                           'Unexpected key(s) in state_dict: "extra". \n\tsize mismatch for scale: copying a param with shape ')
    with pytest.raises(TypeError, match="dict-like"):
        other.load_state_dict([])  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"load_state_dict\(minigrad\.load\('net\.pt'\)\)"):
        other.load_state_dict("net.pt")  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="expected torch.Tensor or Tensor-like object from checkpoint but received"):
        other.load_state_dict({**net.state_dict(), "scale": 3})


def test_loading_by_assignment_takes_the_tensors_themselves() -> None:
    net = Net()
    state = {k: v.double() for k, v in Net().state_dict().items()}
    net.load_state_dict(state, assign=True)
    assert net.scale.dtype is mg.float64 and net.scale.array is state["scale"].array
    assert isinstance(net.scale, nn.Parameter) and net.scale.requires_grad
    assert net.mean is state["mean"]


def test_a_number_may_be_loaded_from_a_vector_of_one() -> None:
    m = nn.Module()
    m.p = nn.Parameter(mg.tensor(1.0))
    m.load_state_dict({"p": mg.tensor([5.0])})
    assert float(m.p) == 5


def test_extra_state_and_hooks_of_state_dict() -> None:
    class Counting(nn.Linear):
        count = 0

        def get_extra_state(self) -> Any:
            return {"count": self.count}

        def set_extra_state(self, state: Any) -> None:
            self.count = state["count"]

    m = Counting(1, 1)
    m.count = 7
    log: list[str] = []
    m.register_state_dict_pre_hook(lambda module, prefix, keep_vars: log.append(f"pre {prefix!r} {keep_vars}"))
    m.register_state_dict_post_hook(lambda module, state, prefix, metadata: log.append(f"post {sorted(state)}"))
    m.register_load_state_dict_pre_hook(lambda module, state, prefix, *rest: log.append(f"load {prefix!r}"))
    m.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
    state = m.state_dict()
    assert state["_extra_state"] == {"count": 7}
    m.count = 0
    del state["bias"]
    m.load_state_dict(state)  # the hook has forgiven the missing key
    assert m.count == 7
    assert log == ["pre '' False", "post ['_extra_state', 'bias', 'weight']", "load ''"]
    with pytest.raises(RuntimeError, match="Unexpected"):
        nn.Linear(1, 1).load_state_dict({**nn.Linear(1, 1).state_dict(), "_extra_state": 1})


def test_copies_and_pickles_are_independent_and_equal() -> None:
    net = Net()
    x = mg.ones(2, 3)
    for twin in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert np.array_equal(twin(x).detach().numpy(), net(x).detach().numpy())
        assert all(a is not b for a, b in zip(net.parameters(), twin.parameters()))
        assert isinstance(twin.scale, nn.Parameter) and twin.scale.requires_grad
    shared = nn.ModuleList([nn.Linear(1, 1)] * 2)
    twin = copy.deepcopy(shared)
    assert twin[0] is twin[1]


def test_a_module_dies_without_the_garbage_collector() -> None:
    gc.disable()
    try:
        net = Net()
        net(mg.ones(1, 3)).sum().backward()
        ref = weakref.ref(net)
        del net
        assert ref() is None
    finally:
        gc.enable()


# ---------------------------------------------------------------------------------------------------- hooks

def test_forward_hooks_in_order_and_what_they_may_change() -> None:
    layer = nn.Identity()
    log: list[Any] = []
    layer.register_forward_pre_hook(lambda m, args: log.append("pre") or (args[0] + 1,))
    layer.register_forward_pre_hook(lambda m, args: log.append("first"), prepend=True)
    handle = layer.register_forward_hook(lambda m, args, out: log.append(("post", float(args[0]))) or out * 10)
    layer.register_forward_hook(lambda m, args, kwargs, out: log.append(kwargs), with_kwargs=True)
    assert float(layer(mg.tensor(1.0))) == 20
    assert log == ["first", "pre", ("post", 2.0), {}]
    handle.remove()
    assert float(layer(mg.tensor(1.0))) == 2


def test_hooks_may_change_keyword_arguments() -> None:
    class Power(nn.Module):
        def forward(self, x: Any, *, n: int) -> Any:
            return x**n

    m = Power()
    m.register_forward_pre_hook(lambda module, args, kwargs: (args, {"n": kwargs["n"] + 1}), with_kwargs=True)
    assert float(m(mg.tensor(2.0), n=2)) == 8
    m.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="forward pre-hook must return None or a tuple"):
        m(mg.tensor(2.0), n=2)


def test_hooks_that_are_always_called_see_failures() -> None:
    net = Net()
    seen: list[Any] = []
    net.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    net.register_forward_hook(lambda m, args, out: seen.append("not me"))
    with pytest.raises(RuntimeError):
        net(mg.ones(2, 5))
    assert seen == [None]


def test_full_backward_hooks_see_and_replace_gradients() -> None:
    layer = nn.Linear(2, 1, bias=False)
    seen: list[Any] = []

    def hook(module: Any, grad_input: Any, grad_output: Any) -> Any:
        seen.append((module is layer, grad_input[0].tolist(), grad_output[0].tolist()))
        return (grad_input[0] * 10,)

    with mg.no_grad():
        layer.weight.copy_(mg.tensor([[2.0, 3.0]]))
    handle = layer.register_full_backward_hook(hook)
    x = mg.tensor([[1.0, 1.0]], requires_grad=True)
    layer(x).sum().backward()
    assert seen == [(True, [[2.0, 3.0]], [[1.0]])]
    assert x.grad.tolist() == [[20.0, 30.0]]
    handle.remove()
    x.grad = None
    layer.register_full_backward_pre_hook(lambda module, grad_output: (grad_output[0] * 5,))
    layer(x).sum().backward()
    assert x.grad.tolist() == [[10.0, 15.0]]


def test_backward_hooks_run_where_no_input_wants_a_gradient() -> None:
    layer = nn.Linear(2, 1)
    seen: list[Any] = []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].tolist())))
    layer(mg.ones(1, 2)).sum().backward()
    assert seen == [((None,), [[1.0]])]


def test_hooks_for_every_module() -> None:
    seen: list[str] = []
    with nn.modules.module.register_module_forward_hook(lambda m, args, out: seen.append(type(m).__name__)):
        Net()(mg.ones(1, 3))
    Net()(mg.ones(1, 3))
    assert seen == ["Linear", "ReLU", "Linear", "Sequential", "Net"]
    with nn.modules.module.register_module_parameter_registration_hook(lambda m, name, p: seen.append(name)):
        nn.Linear(1, 1)
    assert seen[-2:] == ["weight", "bias"]


def test_hooks_for_every_module_are_in_dictionaries_that_may_be_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    file: Any = nn.modules.module
    for name in ("_global_forward_hooks", "_global_forward_hooks_always_called", "_global_backward_hooks"):
        monkeypatch.setattr(file, name, {})
    handle = file.register_module_forward_hook(lambda m, args, out: seen.append("forward"), always_call=True)
    file.register_module_backward_hook(lambda m, gi, go: seen.append("backward of all"))
    layer = nn.Sigmoid()
    layer.register_backward_hook(lambda m, gi, go: seen.append("backward"))  # type: ignore[arg-type]
    layer(mg.ones(2, requires_grad=True)).sum().backward()
    assert seen == ["forward", "backward of all", "backward"]
    assert list(file._global_forward_hooks_always_called) == [handle.id]
    handle.remove()
    assert not file._global_forward_hooks_always_called and not file._global_forward_hooks
    monkeypatch.setattr(file, "_global_backward_hooks", {})
    nn.Sigmoid()(mg.ones(2, requires_grad=True)).sum().backward()
    assert len(seen) == 3


def test_a_removed_hook_leaves_nothing_behind() -> None:
    layer = nn.Linear(1, 1)
    handles = [layer.register_forward_hook(lambda m, a, k, out: None, with_kwargs=True, always_call=True),
               layer.register_forward_pre_hook(lambda m, a, k: None, with_kwargs=True)]
    marks = (layer._forward_hooks_with_kwargs, layer._forward_hooks_always_called, layer._forward_pre_hooks_with_kwargs)
    assert all(marks) and handles[0].hooks_dict_ref() is layer._forward_hooks
    for handle in handles:
        handle.remove()
    assert not any(marks) and not layer._forward_hooks and not layer._forward_pre_hooks


def test_backward_pre_hooks_return_as_many_gradients() -> None:
    layer, x = nn.Sigmoid(), mg.ones(2, requires_grad=True)
    for returned, count in (((), 0), ((x.detach(), x.detach()), 2)):
        handle = layer.register_full_backward_pre_hook(lambda m, grads, returned=returned: returned)  # type: ignore[misc]
        with handle, pytest.raises(RuntimeError, match=f"number of grad_output, got {count}, but expected 1"):
            layer(x).sum().backward()


@pytest.mark.parametrize(("args", "forward", "problem"), [
    (([1],), lambda x, y: (x.clone(), y.clone()), "take as input"), ((), lambda x, y: [x.clone(), y], "return a single Tensor"),
    ((), lambda x, y: (x.clone(), y.clone()), "outputs are generated by different"),
    ((), lambda x, y: x.clone() * y, "forward contains multiple")])
def test_backward_hooks_of_the_old_kind_say_where_they_see_part_of_the_gradients(args: Any, forward: Any, problem: str) -> None:
    class Two(nn.Module):
        def forward(self, x: Any, y: Any, *others: Any) -> Any:
            return forward(x, y)

    module = Two()
    module.register_backward_hook(lambda m, gi, go: None)
    with pytest.warns(FutureWarning, match=problem):
        module(mg.ones(2, requires_grad=True), mg.ones(2, requires_grad=True), *args)


def test_backward_hooks_of_what_returns_no_tensor_are_not_called() -> None:
    class InDict(nn.Module):
        def forward(self, x: Any) -> Any:
            return {"x": x["x"] * 2}

    module, seen = InDict(), list[int]()
    module.register_full_backward_hook(lambda m, gi, go: seen.append(1))
    with pytest.warns(UserWarning, match="should be a Tensor or a tuple of Tensors"):
        module({"x": mg.ones(2, requires_grad=True)})["x"].sum().backward()
    assert not seen


def test_buffers_by_assignment() -> None:
    class Strict(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mean = nn.Buffer(mg.ones(2))

        def register_buffer(self, name: str, tensor: Any) -> None:  # type: ignore[override]
            super().register_buffer(name, tensor)

    module: Any = Strict()
    assert list(module.state_dict()) == ["mean"]
    module = nn.Module()
    module.seen = nn.Buffer(mg.ones(1), persistent=False)
    assert not module.state_dict()
    module.seen = nn.Buffer(mg.ones(1))
    assert list(module.state_dict()) == ["seen"]
    module.other = 5
    with pytest.raises(KeyError, match="'other' already exists"):
        module.other = nn.Buffer(mg.ones(1))


def test_what_to_takes() -> None:
    layer: Any = nn.Linear(2, 2)
    assert layer.to("cpu", mg.float64, True).weight.dtype is mg.float64 and layer.to(mg.ones(1), True).weight.dtype is mg.float32
    for args, kwargs in (((mg.device("cpu"), True), {}), ((None, True), {}), (([],), {}), (({},), {"non_blocking": True}),
                         (("cpu", mg.ones(1)), {}), ((), {"devise": "cpu"}), ((mg.float32, mg.float32), {})):
        with pytest.raises(TypeError, match="invalid combination of arguments"):
            layer.to(*args, **kwargs)
    with pytest.raises(RuntimeError, match="does not accept copy"):
        layer.to("cpu", copy=True)
    with pytest.warns(UserWarning, match="Complex modules"):
        assert layer.to(mg.complex64).weight.dtype is mg.complex64


def test_conversion_may_make_new_parameters() -> None:
    settings = mg.__future__
    layer = nn.Linear(2, 2)
    weight = layer.weight
    weight.grad = mg.ones(2, 2)
    settings.set_overwrite_module_params_on_conversion(True)
    try:
        layer.double()
    finally:
        settings.set_overwrite_module_params_on_conversion(False)
    assert layer.weight is not weight and weight.dtype is mg.float32 and weight.grad.dtype is mg.float32
    assert isinstance(layer.weight, nn.Parameter) and layer.weight.grad is not None and layer.weight.grad.dtype is mg.float64
    weight = layer.weight
    assert layer.half().weight is weight and weight.dtype is mg.float16 and not settings.get_swap_module_params_on_conversion()


def test_modules_of_older_pickles() -> None:
    layer: Any = nn.LSTM(2, 3)
    state = dict(layer.__dict__)
    del state["proj_size"], state["_load_state_dict_post_hooks"], state["_non_persistent_buffers_set"]
    old: Any = nn.LSTM.__new__(nn.LSTM)
    old.__setstate__(state)
    old.load_state_dict(layer.state_dict())
    x = mg.ones(1, 1, 2)
    assert mg.equal(old(x)[0], layer(x)[0]) and len(layer._flat_weights) == 4


def test_loading_makes_no_cycle() -> None:
    layer = nn.Sequential(nn.Linear(2, 2))
    state = layer.state_dict()
    gc.collect()
    gc.disable()
    try:
        layer.load_state_dict(state)
        assert gc.collect() == 0
    finally:
        gc.enable()


# ---------------------------------------------------------------------------------------------------- printing

def test_repr_is_pytorchs() -> None:
    assert repr(Net()) == (
        "Net(\n"
        "  (first): Linear(in_features=3, out_features=4, bias=True)\n"
        "  (block): Sequential(\n"
        "    (0): ReLU()\n"
        "    (1): Linear(in_features=4, out_features=2, bias=True)\n"
        "  )\n"
        ")")
    assert repr(nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh()])) == "ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Tanh()\n)"
    assert repr(nn.ModuleList()) == "ModuleList()" and repr(nn.Sequential()) == "Sequential()"
    assert repr(nn.ParameterList([mg.ones(2, 3), 3])) == (
        "ParameterList(\n    (0): Parameter containing: [minigrad.float32 of size 2x3]\n    (1): Object of type: int\n)")


# ---------------------------------------------------------------------------------------------------- containers

def test_sequential_is_a_list_of_modules() -> None:
    a, b, c = nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1)
    s = nn.Sequential(a, b, c)
    assert len(s) == 3 and s[-1] is c and list(s) == [a, b, c]
    assert list(s[1:]) == [b, c] and list(s[1:]._modules) == ["1", "2"]
    with pytest.raises(IndexError, match="out of range"):
        s[3]
    s[1] = nn.Tanh()
    assert isinstance(s[1], nn.Tanh)
    del s[1]
    assert list(s._modules) == ["0", "1"] and s[1] is c
    assert list(s.append(b).insert(0, b)) == [b, a, c, b]
    assert s.pop(-1) is b and len(s) == 3
    assert len(s + s) == 6 and len(s * 2) == 6
    s += nn.Sequential(b)
    assert len(s) == 4
    named = nn.Sequential(OrderedDict([("in", a), ("act", b)]))
    assert [n for n, _ in named.named_children()] == ["in", "act"] and named.act is b
    with pytest.raises(ValueError, match="Sequential"):
        s + [a]
    with pytest.raises(ValueError, match="multiplication factor"):
        s * 0


def test_module_list_and_dict() -> None:
    a, b = nn.Linear(1, 1), nn.ReLU()
    layers = nn.ModuleList([a])
    layers.append(b).extend([a])
    layers.insert(0, b)
    assert list(layers) == [b, a, b, a] and layers[-1] is a and isinstance(layers[1:], nn.ModuleList)
    del layers[0]
    assert list(layers) == [a, b, a] and list(layers + [b])[-1] is b
    layers[1] = nn.Tanh()
    assert layers.pop(1).__class__ is nn.Tanh
    with pytest.raises(TypeError, match="iterable"):
        layers.extend(3)  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError):
        layers(1)
    table = nn.ModuleDict({"x": a})
    table["y"] = b
    table.update([("z", b)])
    assert list(table) == ["x", "y", "z"] and "x" in table and len(table) == 3 and dict(table.items())["y"] is b
    assert table.pop("y") is b
    del table["z"]
    with pytest.raises(ValueError, match="has length 3; 2 is required"):
        table.update([(1, 2, 3)])
    table.clear()
    assert len(table) == 0


def test_parameter_list_and_dict() -> None:
    ps = nn.ParameterList([mg.ones(1), nn.Parameter(mg.zeros(1))])
    ps.append(mg.ones(2)).extend([mg.ones(3)])
    assert len(ps) == 4 and all(isinstance(p, nn.Parameter) for p in ps)
    assert [n for n, _ in ps.named_parameters()] == ["0", "1", "2", "3"] and len(ps[1:3]) == 2
    ps[0] = mg.ones(7)
    assert tuple(ps[0].shape) == (7,)
    with pytest.raises(RuntimeError, match="should not be called"):
        ps()
    pd = nn.ParameterDict({"a": mg.ones(1)})
    pd["b"] = nn.Parameter(mg.ones(2))
    assert list(pd) == ["a", "b"] and "a" in pd and pd.get("c") is None and list(pd.state_dict()) == ["a", "b"]
    assert list((pd | {"c": mg.ones(1)}).keys()) == ["a", "b", "c"]
    assert pd.setdefault("b") is pd["b"] and pd.popitem()[0] == "b"
    copied = pd.copy()
    assert copied["a"] is pd["a"]
    pd.clear()
    assert len(pd) == 0
    with pytest.raises(KeyError):
        pd["a"]


def test_a_lazy_layer_becomes_the_real_one() -> None:
    m = nn.LazyLinear(4)
    assert repr(m) == "LazyLinear(in_features=0, out_features=4, bias=True)" and m.has_uninitialized_params()
    with pytest.raises(RuntimeError, match="shape of an uninitialized parameter"):
        m.weight.shape  # noqa: B018
    m(mg.ones(2, 3))
    assert type(m) is nn.Linear and tuple(m.weight.shape) == (4, 3) and type(m.weight) is nn.Parameter
    lazy = nn.LazyConv2d(5, 3)
    lazy.load_state_dict(nn.Conv2d(2, 5, 3).state_dict())
    assert tuple(lazy(mg.ones(1, 2, 4, 4)).shape) == (1, 5, 2, 2) and lazy.in_channels == 2
