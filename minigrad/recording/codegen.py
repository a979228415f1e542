"""The call path and the node class of an operation, generated from its declaration.

Everything that can be decided when an operation is declared is decided here, so that a call runs in straight lines: which
arguments can want a gradient, what the node must keep for whose rule, which checks of dtypes there are. ``print(mul.source)``
shows what comes out, and a debugger steps through it.
"""

from __future__ import annotations

import ast
import functools
import inspect
import linecache
import sys
import textwrap
from typing import Any, Callable, Sequence

import numpy as np

from minigrad import _arrays
from minigrad._types import dtypes, layouts
from minigrad._types.tensor_base import LEAF, TensorBase
from minigrad.errors import DeclarationError
from minigrad.recording import call, clock, graph, inplace, overriding, timing, watching
from minigrad.recording.argument_errors import constant_requires_grad, explain
from minigrad.recording.declaration import NUMPY_NAMES, REQUIRED, Declaration, parameters_of
from minigrad.recording.graph import Node
from minigrad.recording.quiet import quiet

# Names of the generated code's own, beside those of what it is handed; the last four only where there is one result.
OWN_NAMES = ("dict", "error", "g", "isinstance", "made", "out", "result", "saved", "self", "code", "frame", "mode", "node")
VARIADIC_NAMES = ("arrays", "edges")  # and those of the code of operations on a sequence
# What a function may consist of to be written into generated code.
OPERATORS = (ast.Return, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Name, ast.Constant, ast.operator, ast.unaryop, ast.cmpop,
             ast.expr_context)


def compile_op(function: Any, info: Declaration) -> None:
    """Generate the node class and the call paths of `function` from its declaration."""
    info.check_rules()
    info.needs = {a: tuple(n for n in parameters_of(rule) if n != "g" and not says_wanted(info, a, n))
                  for a, rule in info.rules.items()}
    wanted = [n for names in info.needs.values() for n in names]
    info.kept_arrays = [n for n in ("out", *info.results, *info.arguments) if n in wanted]
    info.kept_values = [n for n in dict.fromkeys(wanted) if n not in info.kept_arrays]
    info.node_class, info.opmath_node_class = make_node_class(info), None
    write_call_paths(function, info)


def write_call_paths(function: Any, info: Declaration) -> None:
    """Generate the call path of `function`, and that of its form for operators if there is one. Where there are GPUs, they have
    the lines of :func:`device_guard_lines`."""
    general = (call.GuardedCall if _arrays.accelerator_count() else call.GeneralCall)(function, info)
    namespace: dict[str, Any] = {
        "forward": as_ufunc(info.forward), "ndarray": np.ndarray, "unwrap_result": call.unwrap_result,
        "TensorBase": TensorBase,
        "new": object.__new__, "tick": clock.tick, "recording": graph.grad_enabled.get, "LEAF": LEAF,
        "getframe": sys._getframe, "user": clock.user, "user_frame": clock.user_frame,
        "general": general,
        "needs_device_guard": _arrays.needs_device_guard,
        "sequence": call.sequence, "number": call.number, "overriding": overriding.overriding, "ask": overriding.ask,
        "quiet": quiet, "explain": explain, "constant_requires_grad": constant_requires_grad,
        "result_type": info.result_type, "info": info, "NodeClass": info.node_class,
        "write_out": inplace.write_out, "lay_out": functools.partial(layouts.lay_out, info.layout or ""),
        "finish": call.finish_outputs, "why_off": call.why_off, "note_view": inplace.note_view,
        "note_pieces": inplace.note_pieces, "show_call": watching.show_call,
        "output_edge": graph.output_edge, own_name(info): function,
        "__name__": info.forward.__module__, "__builtins__": __builtins__,
        "bfloat16": dtypes.bfloat16.numpy if dtypes.has_bfloat16() else None}
    for name in (*info.arguments, *info.settings):
        if name in namespace or name in (*OWN_NAMES[:-4 if info.outputs else None], *(VARIADIC_NAMES * info.variadic)):
            raise DeclarationError(f"op: a parameter of {info.name} cannot be called {name!r}, which the generated call path "
                                   "uses for something else; rename it")
    defaults = {f"default_{name}": value for name, value in info.settings.items()}
    for target, out in ((function, True), (info.operator, False)):
        if target is None:
            continue
        target.source = variadic_source(info, out) if info.variadic else call_source(info, out)
        if not out:
            namespace["general"] = call.for_operators(general)
        made = generate(info.name, target.source, {**defaults, **namespace})[info.name]
        if timing.timer is not None:
            made = timed_path(info, made)
        target.__globals__.update(made.__globals__)
        # The code comes last: until then a call in another thread runs the old one, which needs none of the rest.
        target.__defaults__, target.__kwdefaults__ = made.__defaults__, made.__kwdefaults__
        target.__code__ = made.__code__


def timed_path(info: Declaration, path: Any) -> Any:
    """A function around the call path `path` that lets calls be timed."""
    source = f"def {info.name}(*args, **settings): return time_call(info, path, args, settings)\n"
    namespace = {"time_call": timing.time_call, "info": info, "path": path, "__name__": info.forward.__module__}
    return generate(f"timed {info.name}", source, namespace)[info.name]


def regenerate_call_paths() -> None:
    """Generate the existing call paths anew, because they need lines now that they had not, or no longer: for more GPUs, for
    bfloat16, for classes that override operations, or for who watches or times them."""
    for function in list(call.REGISTRY.values()):  # other threads may declare more
        if function.info.node_class is not None:
            write_call_paths(function, function.info)


_arrays.on_more_accelerators.append(regenerate_call_paths)
dtypes.on_bfloat16.append(regenerate_call_paths)
watching.on_change.append(regenerate_call_paths)
timing.on_change.append(regenerate_call_paths)


def generate(name: str, source: str, namespace: dict[str, Any]) -> dict[str, Any]:
    """Execute generated `source`; its lines show in tracebacks like any other file's."""
    filename = f"{clock.PACKAGE}<generated {name}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(True), filename)
    scope: dict[str, Any] = {}
    exec(compile(source, filename, "exec"), namespace, scope)
    return scope


def formula_of(function: Callable[..., Any]) -> ast.expr | None:
    """The expression that `function` returns, if all that it does is to join its arguments by operators, else None."""
    if function.__code__.co_names or function.__code__.co_freevars:
        return None
    try:
        *before, body = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0].body  # type: ignore[attr-defined]
    except (OSError, SyntaxError):  # no source at hand, as in a frozen program
        return None
    if not all(isinstance(s, ast.Expr) for s in before):  # more than a docstring
        return None
    return body.value if isinstance(body, ast.Return) and all(isinstance(n, OPERATORS) for n in ast.walk(body)) else None


def rule_source(rule: Callable[..., Any]) -> str:
    """The source of a call of `rule`, or the rule itself where it is a formula."""
    formula = formula_of(rule)
    return f"{rule.__name__}({', '.join(parameters_of(rule))})" if formula is None else f"({ast.unparse(formula)})"


def as_ufunc(forward: Callable[..., Any]) -> Callable[..., Any]:
    """NumPy's function that does what `forward` does, if that is one operator, for it is quicker to call."""
    first, second, *_ = *parameters_of(forward), "", ""
    formula = formula_of(forward)
    text = "" if formula is None else ast.unparse(formula)
    return {f"{first} * {second}": np.multiply, f"{first} == {second}": np.equal,
            f"{first} != {second}": np.not_equal}.get(text, forward)


def signature_source(info: Declaration, out: bool) -> str:
    """The ``def`` line of a call path. As in PyTorch's signatures, settings may also be given by position, and ``out=`` comes
    last."""
    parts = [f"{a}=None" if a in info.optional else a for a in info.arguments]
    renamed = settings_with_numpy_names(info) if out else []
    parts += [name if value is REQUIRED and name not in renamed else f"{name}={'None' if value is None else 'default_' + name}"
              for name, value in info.settings.items()]
    parts.sort(key=lambda part: "=" in part)  # what has no default comes first
    ends = "".join(f", {name}=None" for name in (*[NUMPY_NAMES[name] for name in renamed], "out"))
    lines = [f"if {NUMPY_NAMES[name]} is not None: {name} = {NUMPY_NAMES[name]}" for name in renamed]
    lines += [f"if {name} is default_{name}: raise TypeError(\"{info.called}() missing required argument '{name}'\")"
              for name in renamed if info.settings[name] is REQUIRED]
    return f"def {info.name}({', '.join(parts)}{', *' + ends if out else ''}):\n" + "".join(f"    {line}\n" for line in lines)


def own_name(info: Declaration) -> str:
    """What the generated code calls the operation: by its name, unless a parameter has that too, as in ``threshold``."""
    return f"{info.name}_op" if info.name in (*info.arguments, *info.settings) else info.name


def settings_with_numpy_names(info: Declaration) -> list[str]:
    """The settings that have a second name, NumPy's. A setting without a default has one only if it is the last such setting."""
    required = [name for name, value in info.settings.items() if value is REQUIRED]
    return [name for name in NUMPY_NAMES if name in info.settings and name not in required[:-1]]


def call_source(info: Declaration, out: bool) -> str:
    """The source of the call path of an operation with a fixed number of array arguments."""
    args, optional = info.arguments, info.optional
    settings = "".join(f", {s}={s}" for s in info.settings)
    everything = ", ".join(args) + settings

    def all_of(test: str, some: Sequence[str] = args) -> str:
        return " and ".join(f"({a} is None or {test.format(a)})" if a in optional else test.format(a) for a in some)

    def dtype_mismatch(array: str) -> str:
        """The condition under which dtypes need the general path."""
        alike = [array.format(a) for a in info.alike]
        tests = [f"{alike[0]}.dtype is not {x}.dtype" for x in alike[1:]]
        tests = [f"({a} is not None and {test})" if a in optional else test for a, test in zip(info.alike[1:], tests)]
        first = array.format(next((a for a in args if a not in info.discrete), args[0]))
        if info.dtypes == "float":
            tests.append(f"{first}.dtype.char not in 'fdFD'" if info.opmath is True else f"{first}.dtype.kind not in 'fc'")
        elif info.opmath is True:
            tests.append(f"{first}.dtype.char in '{dtypes.LOW_PRECISION}'")
        elif info.opmath and out:  # a setting that scales, as that of add does; operators do not give it
            tests += [f"({s} is not default_{s} and {first}.dtype.char in '{dtypes.LOW_PRECISION}')" for s in info.settings]
        if dtypes.has_bfloat16() and not info.bfloat16:  # until then no array is of it
            found = {a: f"{array.format(a)}.dtype is bfloat16" for a in args if a not in (*info.discrete, *info.alike[1:])}
            tests += [f"({a} is not None and {test})" if a in optional else test for a, test in found.items()]
        return " or ".join(tests)

    raw = f"{all_of('{}.__class__ is ndarray')}" + (f" and not ({dtype_mismatch('{}')})" if dtype_mismatch("{}") else "")
    lines = []
    if overriding.subclasses:
        lines += [f"if overriding(({', '.join(args)},)): return ask({own_name(info)}, overriding(({', '.join(args)},)), "
                  f"({', '.join(args)},), dict({settings[2:]}))"]
    exact = ", exact=dtype is not None" if "dtype" in info.settings else ""
    lines += [f"if out is not None: return write_out(out, {own_name(info)}({everything}), {info.called!r}{exact})"] if out else []
    in_doubt = args if out else args[1:]  # an operator is a method: its first operand is a tensor
    if in_doubt:
        lines += [f"if not ({all_of('isinstance({}, TensorBase)', in_doubt)}):",
                  f"    if {raw}: return {'result_type(*' if isinstance(info.outputs, tuple) else '('}forward({everything}))"]
    if len(args) == 2 == len(info.alike) and args[1] in info.numbers:
        former = f" if not isinstance({info.former[1]}, TensorBase) else None" if info.former and out else ""
        lines += [f"    made = number({args[0]}, {args[1]}){former}",
                  f"    if made is None: return general({everything})",
                  f"    {args[1]} = made"]
    elif in_doubt:
        lines.append(f"    return general({everything})")
    for a in args:
        lines.append(f"{a}_ = None if {a} is None else {a}.array" if a in optional else f"{a}_ = {a}.array")
    for a in (*info.discrete, *info.constant):
        given = f"{a} is not None and " if a in optional else ""
        lines.append(f"if {given}{a}.node is not None and recording(): raise constant_requires_grad(info, '{a}', {a})")
    lines += device_guard_lines(info)
    if dtype_mismatch("{}_"):
        lines.append(f"if {dtype_mismatch('{}_')}: return general({everything})")
    arrays = ", ".join(f"{a}_" for a in args)
    lines += [f"try: result = quiet().run(forward, {arrays}{settings})",
              f"except Exception as error: raise explain(info, error, ({arrays},), dict({settings[2:]})) from None"]
    shown = [f"show_call(info, ({', '.join(args)},), dict({settings[2:]}), out)"] if watching.count else []
    several = isinstance(info.outputs, tuple) and not info.view and bool(info.rules)
    if info.outputs and not several:
        lines.append(f"out = finish(info, result, ({', '.join(args)},), ({arrays},), dict({settings[2:]}))")
        if info.view:
            lines.append(f"note_pieces(info, {args[0]}, out, dict({settings[2:]}))")
        lines += [*shown, "return out"]
        return signature_source(info, out) + "".join(f"    {line}\n" for line in lines)
    results = result_names(info)
    if several:
        lines.append(f"{', '.join(results)}, = result")
    for r in results:
        lines += [f"if {r}.__class__ is not ndarray: {r} = unwrap_result({r})",
                  *layout_lines(info, r, all_of("{}_.flags.c_contiguous"))]
    made = [f"out_{k}" for k in range(len(results))] if several else ["out"]
    for r, o in zip(results, made):
        lines += [f"{o} = new({args[0]}.result_class)", f"{o}.array = {r}"]
    if several:
        lines += [f"result = ({', '.join(results)},)", f"out = result_type({', '.join(made)})"]
    tracked = [a for a in args if a in info.rules]
    for a in tracked:
        lines += [f"{a}_edge = {'None if ' + a + ' is None else ' if a in optional else ''}{a}.node",
                  f"if {a}_edge is LEAF: {a}_edge = {a}"]
    if tracked:
        wanted = " or ".join(f"{a}_edge is not None" for a in tracked)
        shapes = f"({', '.join(f'{r}.shape' for r in results)},)" if several else "result.shape"
        # A setting may ask for whole numbers, or one argument of several, of any dtypes, decide on them.
        may_be_whole = "dtype" in info.settings or info.dtypes == "any" and len(tracked) > 1
        # Operations with several results have settings of the names that are taken for one.
        end = "_0" if several else ""
        mode, node = f"mode{end}", f"node{end}"
        lines += [f"if ({wanted}) and ({mode} := recording())"
                  + (f" and result.dtype.kind in '{dtypes.DIFFERENTIABLE}':" if may_be_whole and not several else ":"),
                  f"    {node} = NodeClass()" if several else "    out.node = node = NodeClass()",
                  f"    {node}.inputs = ({', '.join(f'{a}_edge' if a in tracked else 'None' for a in args)},)",
                  f"    {node}.saved = {saved_source(info)}",
                  f"    {node}.settings = {settings_source(info)}",
                  f"    {node}.shape = {shapes}",
                  *placing_lines(f"({arrays},)", args[0], end),
                  *([f"    {o}.node = output_edge({node}, {k}, {r})" for k, (r, o) in enumerate(zip(results, made))]
                    if several else []),
                  "else:",
                  f"    {' = '.join(f'{o}.node' for o in made)} = None",
                  f"    if {wanted}: {' = '.join(f'{o}._off' for o in made)} = recording()",
                  *[f"    elif {f'{a} is not None and ' if a in optional else ''}{a}._off is not None: "
                    f"{' = '.join(f'{o}._off' for o in made)} = {a}._off" for a in tracked]]
    else:
        lines.append("out.node = None")
    if info.view:
        lines.append(f"note_view({own_name(info)}, dict({settings[2:]}), {args[0]}, out)")
    lines += [*shown, "return out"]
    return signature_source(info, out) + "".join(f"    {line}\n" for line in lines)


def placing_lines(arrays: str, first: str, end: str = "") -> list[str]:
    """The lines that say when and where a node was made, and show it to an observer. The names have this `end`; `arrays` are what
    the forward was given, and `first` is the tensor whose class the results have."""
    mode, node, frame, code = [f"{name}{end}" for name in ("mode", "node", "frame", "code")]
    return [f"    {frame} = getframe(1); {code} = {frame}.f_code",
            f"    if {code}.co_filename is not user.file: {frame} = user_frame(); {code} = {frame}.f_code",
            f"    {node}.code = {code}; {node}.lasti = {frame}.f_lasti; {node}.extras = None",
            f"    {node}.stamp = tick()",
            f"    if {mode} is not True: {mode}.observe({node}, result, {arrays}, {first}.result_class)"]


def result_names(info: Declaration) -> list[str]:
    """What the generated code calls the arrays that the forward returns: those that rules can name, as it calls arguments."""
    if not isinstance(info.outputs, tuple):
        return ["result"]
    return [f"{name}_" if name in info.results else f"result_{k}" for k, name in enumerate(info.outputs)]


def layout_lines(info: Declaration, result: str, contiguous: str) -> list[str]:
    """The line that gives a result the layout that the operation declares, unless it is right at a glance; `contiguous` is the
    condition that all operands are contiguous."""
    glances = {"contiguous": f"{result}.flags.c_contiguous", "columns": f"{result}.ndim < 2",
               # Of operands of which the first is contiguous NumPy's functions make what PyTorch's do.
               "ufunc": f"{info.arguments[0]}_.flags.c_contiguous"}
    glance = glances.get(info.layout or "", f"{contiguous} and {result}.flags.c_contiguous")
    arrays = ", ".join(f"{a}_" for a in info.arguments)
    return [f"if not ({glance}): {result} = lay_out({result}, {arrays})"] if info.layout else []


def device_guard_lines(info: Declaration) -> list[str]:
    """The line that sends arrays to the general path if they are not on the current device. Without GPUs there is no such line.

    With one GPU the only such case is a CPU array among arrays on the GPU.
    """
    gpus = _arrays.accelerator_count()
    if not gpus or gpus == 1 and len(info.arguments) < 2:
        return []
    # What is usual is known from the classes, but for an operand that may be missing and may bring the others to its GPU.
    classes = [f"{a}_.__class__" for a in info.arguments if a not in info.optional] + ["ndarray"] * (gpus > 1)
    classes_agree = "" if info.broadcasts and info.optional or len(classes) < 2 else f"not ({' is '.join(classes)}) and "
    arrays, settings = ", ".join(f"{a}_" for a in info.arguments), "".join(f", {s}={s}" for s in info.settings)
    return [f"if {classes_agree}needs_device_guard({arrays}): return general({', '.join(info.arguments)}{settings})"]


def variadic_source(info: Declaration, out: bool) -> str:
    """The source of the call path of an operation on a sequence of arrays. How many there are is only known at the call."""
    settings = ", ".join(f"{s}={s}" for s in info.settings)
    name = info.arguments[0]
    lines = [f"if out is not None: return write_out(out, {own_name(info)}({name}, {settings}), {info.called!r})"] if out else []
    if overriding.subclasses:
        lines.append(f"if overriding(({name},)): return ask({own_name(info)}, overriding(({name},)), ({name},), "
                     f"dict({settings}))")
    lines.append(f"if {name}.__class__ is not list and {name}.__class__ is not tuple: {name} = sequence(info, {name})")
    in_words = bool(info.outputs or info.view or info.discrete or info.constant or info.dtypes == "float"
                    or _arrays.accelerator_count())
    lines += [f"return general(*{name}, {settings})"] if in_words else straight_variadic_lines(info, name, settings)
    return signature_source(info, out) + "".join(f"    {line}\n" for line in lines)


def straight_variadic_lines(info: Declaration, name: str, settings: str) -> list[str]:
    """The lines that call and record an operation on a sequence of tensors of one dtype; others take the general path."""
    alike = ["any([a.dtype is not arrays[0].dtype for a in arrays])"]
    alike += [f"arrays[0].dtype.char in '{dtypes.LOW_PRECISION}'"] if info.opmath is True else []
    alike += ["arrays[0].dtype is bfloat16"] if dtypes.has_bfloat16() and not info.bfloat16 else []
    kept = [part for array, part in (("out", "result"), (name, "*arrays")) if array in info.kept_arrays]
    places = [part for array, part in (("out", "-1"), (name, "*range(len(arrays))")) if array in info.kept_arrays]
    values = [n if n in info.settings else f"tuple([a.{n.rpartition('_')[2]} for a in arrays])" for n in info.kept_values]

    def tuple_of(parts: Sequence[str]) -> str:
        return f"({', '.join(parts)}{',' if parts else ''})"

    return [f"arrays = [t.array for t in {name} if isinstance(t, TensorBase)]",
            f"if not arrays or len(arrays) < len({name}) or {' or '.join(alike)}: return general(*{name}, {settings})",
            f"try: result = quiet().run(forward, *arrays, {settings})",
            f"except Exception as error: raise explain(info, error, arrays, dict({settings})) from None",
            "if result.__class__ is not ndarray: result = unwrap_result(result)",
            *(["result = lay_out(result, *arrays)"] if info.layout else []),
            f"out = new({name}[0].result_class)", "out.array = result",
            f"edges = tuple([t if t.node is LEAF else t.node for t in {name}])",
            f"if any([e is not None for e in edges]) and {bool(info.rules)} and (mode := recording())"
            f" and result.dtype.kind in '{dtypes.DIFFERENTIABLE}':",
            "    out.node = node = NodeClass()",
            "    node.inputs = edges",
            f"    node.saved = {tuple_of(kept)}; node.saved_from = {tuple_of(places)}",
            f"    node.settings = {tuple_of(values)}",
            "    node.shape = result.shape",
            *placing_lines("tuple(arrays)", f"{name}[0]"),
            "else:",
            "    out.node = None",
            f"    out._off = why_off(info, {name})",
            *([f"show_call(info, tuple({name}), dict({settings}), out)"] if watching.count else []),
            "return out"]


def arguments_needing(info: Declaration, array: str) -> list[str]:
    """The arguments whose rules name `array`.

    An array that a single rule names is saved only if that rule will run. If it is absent, so is the edge.
    """
    return [a for a in info.rules if array in info.needs[a]]


def saved_source(info: Declaration) -> str:
    """The source of the tuple of arrays that a node saves: each is kept only if an input whose rule names it requires a
    gradient."""
    parts = []
    for name in info.kept_arrays:
        users = arguments_needing(info, name)
        value = "result" if name == "out" else f"{name}_"
        if len(users) < len(info.rules) or (name in info.optional):
            value += f" if {' or '.join(f'{a}_edge is not None' for a in users)} else None"
        parts.append(value)
    return f"({', '.join(parts)}{',' if parts else ''})"


def settings_source(info: Declaration) -> str:
    """The source of the tuple of settings, shapes and dtypes that a node keeps."""
    parts = []
    for n in info.kept_values:
        array, _, what = n.rpartition("_")
        parts.append(n if n in info.settings else f"{array}_.{what}" if array not in info.optional
                     else f"None if {array} is None else {array}_.{what}")
    return f"({', '.join(parts)}{',' if parts else ''})"


def make_node_class(info: Declaration) -> type[Node]:
    """The Node subclass of one operation, with a generated ``backward``."""
    arrays, values = info.kept_arrays, info.kept_values
    if info.variadic:
        body = variadic_backward_source(info)
    else:
        lines = [f"{', '.join(n)}, = {source}" for n, source in ((arrays, "saved"), (values, "self.settings")) if n]
        calls = {a: rule_source(rule) for a, rule in info.rules.items() if a not in info.joint}
        calls |= {a: f"{info.rules[a].__name__}_grads[{together.index(a)}]" for a, together in info.joint.items()}
        if len(calls) > 1 or info.joint:  # a node with one rule was made because its input wants the gradient
            needed = [n for n in arrays if n not in info.optional]
            sign = {a: next((n for n in needed if arguments_needing(info, n) == [a]), f"{a}_edge") for a in calls}
            if any(s == f"{a}_edge" for a, s in sign.items()):
                lines.append(f"{', '.join(f'{a}_edge' for a in info.arguments)}, = self.inputs")
            lines += joint_lines(info)
            calls = {a: f"None if {sign[a]} is None else {call}" for a, call in calls.items()}
        grads = [calls.get(a, "None") for a in info.arguments]
        lines.append(f"return ({', '.join(grads)},)")
        body = "".join(f"    {line}\n" for line in lines)
    source = f"def backward(self, g, saved):\n{body}"
    namespace = {rule.__name__: rule for rule in info.rules.values()}
    scope = generate(info.node_name, source, {**namespace, "__name__": __name__})
    index = {"out": -1, **{name: -2 - k for name, k in info.results.items()}, **{a: k for k, a in enumerate(info.arguments)}}
    saved_from = tuple(index[n] for n in arrays)
    if info.variadic:  # how many arrays there are is known to each node only
        members: dict[str, Any] = {"__slots__": ("saved_from",), "named": ()}
    else:
        members = {"__slots__": (), "saved_from": saved_from, "named": tuple([
            tuple([k for k, n in enumerate(arrays) if n in info.needs.get(a, ())]) for a in info.arguments])}
    return type(info.node_name, (Node,), {
        **members, "__module__": info.forward.__module__, "__doc__": f"Backward of {info.name}.",
        "backward": scope["backward"], "backward_source": source, "op_name": info.called, "arguments": info.arguments,
        "results": info.results, "broadcasts": info.broadcasts, "holomorphic": info.holomorphic, "connected": info.connected,
        "info": info})


def says_wanted(info: Declaration, argument: str, parameter: str) -> bool:
    """Whether `parameter` of the joint rule of `argument` is what tells it which gradients are wanted."""
    return parameter == "wanted" and argument in info.joint and parameter not in (*info.arguments, *info.settings, *info.results)


def joint_lines(info: Declaration) -> list[str]:
    """The lines that call joint rules, each once, where at least one of the gradients that it gives is wanted."""
    lines = []
    for together in dict.fromkeys(info.joint.values()):
        rule = info.rules[together[0]]
        tests = [f"{a}_edge is not None" for a in together]
        given = [f"({', '.join(tests)})" if says_wanted(info, together[0], n) else n for n in parameters_of(rule)]
        lines.append(f"if {' or '.join(tests)}: {rule.__name__}_grads = {rule.__name__}({', '.join(given)})")
    return lines


def variadic_backward_source(info: Declaration) -> str:
    """The source of ``backward`` for a starred argument. One rule gives all gradients at once, and names the saved sequence as
    one tuple."""
    arrays, values = info.kept_arrays, info.kept_values
    name = info.arguments[0]
    rule = info.rules.get(name)
    if rule is None:
        return "    return (None,) * len(self.inputs)\n"
    lines = [f"    {', '.join(values)}, = self.settings\n"] if values else []
    if "out" in arrays:
        lines.append("    out, saved = saved[0], saved[1:]\n")
    if name in arrays:
        lines.append(f"    {name} = saved\n")
    lines.append(f"    grads = {rule.__name__}({', '.join(parameters_of(rule))})\n")
    lines.append("    return tuple([None if e is None else d for e, d in zip(self.inputs, grads)])\n")
    return "".join(lines)
