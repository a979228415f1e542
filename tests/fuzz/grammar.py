"""The lines that programs are drawn from.

Each rule is a function of a source of chance and the scene, what the program has made so far, and gives a line, or None where it does not apply.
A rule's weight is how often it is drawn. Rules marked ``smooth=False`` are left out of programs whose gradients are compared with finite
differences: a value that is cut off from the graph, or that jumps, has no derivative to compare with.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Any, Callable

FLOATS = ("float64", "float32", "float16", "bfloat16")
OTHERS = ("int64", "int32", "uint8", "bool", "complex128", "complex64")


@dataclass(frozen=True)
class Thing:
    """A tensor that lines may use."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    requires_grad: bool
    is_leaf: bool

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def numel(self) -> int:
        product = 1
        for n in self.shape:
            product *= n
        return product

    @property
    def is_float(self) -> bool:
        return "float" in self.dtype

    @property
    def is_complex(self) -> bool:
        return "complex" in self.dtype

    @property
    def is_integer(self) -> bool:
        return "int" in self.dtype


@dataclass
class Scene:
    """What a program has made so far, and what it may still use."""

    things: list[Thing]
    layers: list[str]
    dtypes: tuple[str, ...]
    smooth: bool
    lines: int = 0

    def new(self) -> str:
        """A name that is not used yet."""
        return f"v{self.lines}"

    def pick(self, r: Random, fits: Callable[[Thing], bool] = lambda t: True) -> Thing | None:
        """One of the tensors for which `fits` holds, the younger the likelier; None if there is none."""
        candidates = [t for t in self.things if fits(t)]
        return r.choice(candidates[-4:] if r.random() < 0.7 else candidates) if candidates else None

    def pick_writable(self, r: Random) -> Thing | None:
        """A tensor that may be written in place: a leaf that requires grad may not, and is taken rarely."""
        return self.pick(r, lambda t: not (t.is_leaf and t.requires_grad) or (not self.smooth and r.random() < 0.03))


Rule = Callable[[Random, Scene], "str | None"]
RULES: list[tuple[float, bool, Rule]] = []


def rule(weight: float, smooth: bool = True) -> Callable[[Rule], Rule]:
    """Enter a function into the grammar."""
    def enter(function: Rule) -> Rule:
        RULES.append((weight, smooth, function))
        return function
    return enter


def draw_line(r: Random, scene: Scene) -> str:
    """The next line of a program."""
    rules = [(w, f) for w, smooth, f in RULES if smooth or not scene.smooth]
    while True:
        line = r.choices([f for _, f in rules], [w for w, _ in rules])[0](r, scene)
        if line is not None:
            scene.lines += 1
            return line


def draw_shape(r: Random) -> tuple[int, ...]:
    """A shape of at most 24 elements; sizes of 1 are frequent, 0 is rare."""
    sizes = [1, 1, 2, 2, 3, 3, 4] + [0] * (r.random() < 0.05)
    return tuple(r.choice(sizes) for _ in range(r.choice([0, 1, 1, 2, 2, 2, 3, 3, 4]))) if r.random() < 0.9 else (2, 3, 4)


def number(r: Random, t: Thing) -> str:
    """A Python number to compute with."""
    if t.is_complex and r.random() < 0.3:
        return r.choice(["(0.5+1j)", "2j"])
    return r.choice(["2", "0.5", "-1.5", "3", "1", "0.25", "-2"] if not t.is_integer or r.random() < 0.3 else ["2", "3", "1"])


def dim(r: Random, t: Thing) -> int:
    """A dimension of `t`, counted from either end; for a tensor without dimensions, 0."""
    return r.randrange(-t.ndim, t.ndim) if t.ndim else 0


def fits_into(small: tuple[int, ...], large: tuple[int, ...]) -> bool:
    """Whether `small` broadcasts to `large`."""
    return len(small) <= len(large) and all(s in (1, n) for s, n in zip(reversed(small), reversed(large)))


def broadcast_together(a: tuple[int, ...], b: tuple[int, ...]) -> bool:
    """Whether two shapes broadcast."""
    return all(x == y or 1 in (x, y) for x, y in zip(reversed(a), reversed(b)))


def slice_text(r: Random, n: int) -> str:
    """A slice of a dimension of `n` elements."""
    return r.choice([":", "1:", ":-1", "::2", f":{max(n - 1, 1)}", f"{n // 2}:", "0:1", "-1:"])


def index_text(r: Random, t: Thing, advanced: bool = True) -> str:
    """An index for `t`: integers, slices, None, an ellipsis and, if `advanced`, lists, tensors and masks."""
    parts: list[str] = []
    for n in t.shape[:r.randint(0, t.ndim)]:
        kind = r.random()
        if kind < 0.3 and n:
            parts.append(str(r.randrange(-n, n)))
        elif kind < 0.75 or not n or not advanced:
            parts.append(slice_text(r, n))
        elif kind < 0.85:
            parts.append(str([r.randrange(-n, n) for _ in range(2)]))
        elif kind < 0.95:
            parts.append(f"torch.tensor({[r.randrange(n) for _ in range(r.choice([1, 2]))]})")
        else:
            parts.append(f"torch.tensor({[r.random() < 0.5 for _ in range(n)]})")
    if r.random() < 0.2:
        parts.insert(r.randint(0, len(parts)), "None")
    if len(parts) < t.ndim and r.random() < 0.2:
        parts.append("...")
    return ", ".join(parts) or "..."


# Leaves

@rule(3)
def make_leaf(r: Random, s: Scene) -> str | None:
    dtype = r.choice(s.dtypes)
    grad = ("float" in dtype or "complex" in dtype) and r.random() < 0.7
    return f"{s.new()} = leaf({draw_shape(r)}, {dtype!r}, {r.randrange(1000)}{', grad=True' if grad else ''})"


@rule(0.7, smooth=False)
def cut_off(r: Random, s: Scene) -> str | None:
    t = s.pick(r)
    return t and f"{s.new()} = {t.name}.{r.choice(['detach()', 'data', 'clone()', 'detach().clone()', 'contiguous()'])}"


@rule(0.4, smooth=False)
def copy_deep(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_leaf)
    return t and f"{s.new()} = copy.deepcopy({t.name})"


@rule(0.5, smooth=False)
def ask_for_grad(r: Random, s: Scene) -> str | None:
    t = s.things[-1] if s.things else None  # an older one may have views, which PyTorch then says require grad
    if t is None or not t.is_leaf or not (t.is_float or t.is_complex):
        return None
    return f"{t.name}.requires_grad_({r.choice(['True', 'True', 'False'])})"


# Views

@rule(12)
def view(r: Random, s: Scene) -> str | None:
    t = s.pick(r)
    if t is None:
        return None
    d, e = dim(r, t), dim(r, t)
    n = t.shape[d] if t.ndim else 1
    forms = ["view_as({0})", "unsqueeze(0)", "unsqueeze(-1)", "squeeze()", "reshape(-1)", "flatten()", "expand_as({0})", "ravel()", "mT", "T",
             f"view({list(t.shape)})", "contiguous()", f"reshape({[*t.shape[::-1]]})", "view(-1)", "T", "sum_to_size({0}.shape)",
             f"expand({[2, *t.shape]})", "squeeze(0)", "squeeze(-1)", "real"]
    if t.is_complex:
        forms += ["imag", "real", "mH.resolve_conj()", "conj().resolve_conj()", "resolve_conj()"] * 2
    else:
        forms += ["adjoint()", "conj()", "mH"]
    if t.ndim:
        forms += [f"select({d}, {r.randrange(-n, n) if n else 0})", f"narrow({d}, {min(1, max(n - 1, 0))}, {max(n - 1, 0)})", f"transpose({d}, {e})",
                  f"permute({r.sample(range(t.ndim), t.ndim)})", f"movedim({d}, {e})", f"swapaxes({d}, {e})", f"chunk(2, {d})[0]", f"split(1, {d})[-1]",
                  f"unfold({d}, {min(2, n)}, 1)", f"unflatten({d}, [{n}, 1])", f"tensor_split(2, {d})[0]"]
        forms += [f"unbind({d})[0]"] if n else []
    if t.ndim > 1:
        forms += ["t()" if t.ndim == 2 else "mT", "diagonal()", f"flatten({d % t.ndim}, -1)", "diagonal(1)"]
    return f"{s.new()} = {t.name}.{r.choice(forms).format(t.name)}"


@rule(8)
def index_view(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.ndim > 0)
    return t and f"{s.new()} = {t.name}[{index_text(r, t, advanced=r.random() < 0.4)}]"


@rule(1)
def view_complex(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_complex)
    return t and f"{s.new()} = torch.view_as_real({t.name})"


@rule(0.7)
def change_shape_in_place(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: not (t.is_leaf and t.requires_grad) and t.ndim > 0)
    return t and f"{t.name}.{r.choice(['unsqueeze_(0)', 'squeeze_()', f'transpose_({dim(r, t)}, {dim(r, t)})'])}"


# Pointwise

SMOOTH_FUNCTIONS = ("exp", "tanh", "sin", "cos", "sigmoid", "square", "neg", "erf", "atan", "sinh", "asinh", "expm1", "positive", "reciprocal", "abs")
REAL_FUNCTIONS = ("relu", "softplus_", "log1p_", "sqrt_", "rsqrt_", "gelu_", "silu_", "leaky_relu_", "hardtanh_", "softsign_", "elu_", "mish_", "logsigmoid_")


@rule(8)
def unary(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float or t.is_complex)
    if t is None:
        return None
    function = r.choice(SMOOTH_FUNCTIONS if t.is_complex else SMOOTH_FUNCTIONS + REAL_FUNCTIONS)
    x = t.name
    return f"{s.new()} = " + {
        "softplus_": f"torch.nn.functional.softplus({x})", "log1p_": f"{x}.abs().log1p()", "sqrt_": f"({x} * {x} + 1).sqrt()",
        "rsqrt_": f"({x}.square() + 1).rsqrt()", "gelu_": f"torch.nn.functional.gelu({x})", "silu_": f"torch.nn.functional.silu({x})",
        "leaky_relu_": f"torch.nn.functional.leaky_relu({x}, 0.1)", "hardtanh_": f"torch.nn.functional.hardtanh({x})", "softsign_": f"torch.nn.functional.softsign({x})",
        "elu_": f"torch.nn.functional.elu({x})", "mish_": f"torch.nn.functional.mish({x})", "logsigmoid_": f"torch.nn.functional.logsigmoid({x})",
        "abs": f"{x}.abs()" if not t.is_complex else f"({x} + 3).abs()", "reciprocal": f"({x} * {x} + 2).reciprocal()",
    }.get(function, f"{x}.{function}()")


@rule(12)
def binary(r: Random, s: Scene) -> str | None:
    a = s.pick(r)
    if a is None:
        return None
    b = s.pick(r, lambda t: broadcast_together(a.shape, t.shape)) if r.random() < 0.75 else None
    right = b.name if b else number(r, a)
    left = a.name
    operator = r.choice(["+", "-", "*", "*", "+", "/"])
    if operator == "/":
        right = f"({right} * {right} + 2)" if b else right
    if r.random() < 0.3:
        left, right = right, left
        if operator == "/":
            right = f"({right} * {right} + 2)"
    form = r.random()
    if form < 0.8 or not (a.is_float and (b is None or b.is_float)):
        return f"{s.new()} = {left} {operator} {right}"
    if b is None:
        return f"{s.new()} = {a.name} ** {r.choice(['2', '3', '2.0'])}"
    return f"{s.new()} = " + r.choice(["torch.maximum({}, {})", "torch.where({0} > 0, {0}, {1})", "torch.hypot({}, {} + 9)", "torch.atan2({}, {} + 9)",
                                      "torch.lerp({}, {}, 0.3)" if a.dtype == b.dtype else "torch.fmax({}, {})", "torch.add({}, {}, alpha=0.5)",
                                      "torch.logaddexp({}, {})"]).format(a.name, b.name)


@rule(2)
def convert(r: Random, s: Scene) -> str | None:
    t = s.pick(r, (lambda t: t.is_float) if s.smooth else (lambda t: True))
    dtype = r.choice(s.dtypes)
    if t is None or t.is_complex and "complex" not in dtype:
        return None
    return f"{s.new()} = {t.name}.to(torch.{dtype})"


@rule(1.5, smooth=False)
def compare(r: Random, s: Scene) -> str | None:
    a = s.pick(r, lambda t: not t.is_complex)
    b = s.pick(r, lambda t: a is not None and not t.is_complex and broadcast_together(a.shape, t.shape))
    return a and b and f"{s.new()} = {a.name} {r.choice(['>', '<', '==', '!=', '>='])} {r.choice([b.name, '0'])}"


@rule(2, smooth=False)
def whole_numbers(r: Random, s: Scene) -> str | None:
    a = s.pick(r, lambda t: t.is_integer or t.dtype == "bool")
    b = s.pick(r, lambda t: a is not None and (t.is_integer or t.dtype == "bool") and broadcast_together(a.shape, t.shape))
    if a is None or b is None:
        return None
    return f"{s.new()} = {a.name} {r.choice(['&', '|', '^', '+', '*', '//', '%', '-', '<<'])} {r.choice([b.name, '3', '2'])}"


# Reductions and order

@rule(6)
def reduce(r: Random, s: Scene) -> str | None:
    t = s.pick(r)
    if t is None:
        return None
    along = r.choice(["", f"{dim(r, t)}", f"{dim(r, t)}, keepdim=True"])
    function = r.choice(["sum", "sum", "mean"] if t.is_float or t.is_complex else ["sum", "prod"])
    if t.is_float and r.random() < 0.5:
        d = dim(r, t)
        name = r.choice([f"cumsum({d})", f"softmax({d})", f"log_softmax({d})", f"logsumexp({d})", f"amax({d})", "max()", f"max({d}).values", f"min({d})[0]",
                         f"std({d})", f"var({d}, keepdim=True)", "norm()", f"norm(dim={d})", f"prod({d})", f"sort(dim={d}, stable=True)[0]", f"topk(1, {d})[0]",
                         f"cummax({d})[0]", f"median({d}).values", f"logcumsumexp({d})", f"cumprod({d})", f"flip({d})", f"roll(1, {d})"])
        return f"{s.new()} = {t.name}.{name}"
    return f"{s.new()} = {t.name}.{function}({along})"


@rule(1.5, smooth=False)
def positions(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float)
    return t and f"{s.new()} = {t.name}.{r.choice([f'argmax({dim(r, t)})', 'argmin()', f'argsort(dim={dim(r, t)}, stable=True)', f'topk(1, {dim(r, t)})[1]', 'isfinite()'])}"


@rule(4)
def put_together(r: Random, s: Scene) -> str | None:
    a = s.pick(r, lambda t: t.ndim > 0)
    b = s.pick(r, lambda t: a is not None and t.shape == a.shape)
    if a is None or b is None:
        return None
    d = dim(r, a)
    return f"{s.new()} = torch." + r.choice([f"cat([{a.name}, {b.name}], {d})", f"stack([{a.name}, {b.name}], {d})", f"cat([{a.name}, {a.name}], {d})",
                                            f"hstack([{a.name}, {b.name}])", f"vstack([{a.name}, {b.name}])"])


@rule(4)
def multiply_matrices(r: Random, s: Scene) -> str | None:
    a = s.pick(r, lambda t: t.ndim > 0 and (t.is_float or t.is_complex))
    b = s.pick(r, lambda t: a is not None and t.ndim > 0 and t.dtype == a.dtype)
    if a is None or b is None:
        return None
    if a.ndim > 1 and b.ndim > 1 and a.shape[-1] == b.shape[-1]:
        return f"{s.new()} = {a.name} @ {b.name}.mT"
    if a.shape[-1] == b.shape[-2 if b.ndim > 1 else -1]:
        return f"{s.new()} = {a.name} @ {b.name}"
    if a.ndim > 1:
        return f"{s.new()} = {a.name} @ {a.name}.mT"
    return f"{s.new()} = torch.outer({a.name}, {b.name})" if b.ndim == 1 else None


@rule(3)
def take_elements(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.ndim > 0 and t.numel > 0)
    if t is None:
        return None
    d = dim(r, t)
    n = t.shape[d]
    where = f"torch.tensor({[r.randrange(n) for _ in range(r.choice([1, 2, 3]))]})"
    return f"{s.new()} = {t.name}." + r.choice([f"index_select({d}, {where})", f"repeat_interleave(2, {d})", f"gather({d}, torch.zeros({list(t.shape)}, dtype=torch.int64))",
                                                f"repeat({[1] * (t.ndim - 1) + [2]})", "tril()" if t.ndim > 1 else "flip(0)", "masked_fill({0} > 0, 0.5)" if not t.is_complex else "conj()",
                                                f"take({where})", f"index_add({d}, torch.tensor([0]), {t.name}.narrow({d}, 0, 1))", "diff()"]).replace("{0}", t.name)


# In-place writes

@rule(14)
def write(r: Random, s: Scene) -> str | None:
    t = s.pick_writable(r)
    if t is None:
        return None
    fits = (lambda o: o.is_float or o.is_complex) if s.smooth else (lambda o: True)
    b = s.pick(r, lambda o: fits(o) and fits_into(o.shape, t.shape) and (not o.is_complex or t.is_complex))
    other = b.name if b is not None and r.random() < 0.7 else number(r, t)
    forms = [f"add_({other})", f"mul_({other})", f"sub_({other})", f"copy_({other})" if other[0] == "v" else "zero_()", f"{{op}} {other}"]
    if other[0] != "v":
        forms += [f"fill_({other})"]
    if t.is_float:
        forms += ["relu_()", "tanh_()", "sigmoid_()", "clamp_(min=-0.5)", "exp_()", "neg_()", "div_(2)", f"masked_fill_({t.name} > 0.1, 0.5)", "add_(1, alpha=2)", "square_()", "abs_()"]
        if b is not None:
            forms += [f"addcmul_({b.name}, {b.name}, value=0.5)"] if b.dtype == t.dtype else []
    if t.is_complex:
        forms += ["exp_()", "neg_()", "conj_physical_()", "tanh_()"]
    if t.ndim and t.numel:
        d = dim(r, t)
        forms += [f"index_fill_({d}, torch.tensor([0]), 0.5)", f"scatter_({d}, torch.zeros({list(t.shape)}, dtype=torch.int64), 2)" if t.ndim == 1 and t.numel == 1 else "zero_()"]
    form = r.choice(forms)
    if form.startswith("{op}"):
        return f"{t.name} {r.choice(['+=', '-=', '*='])} {other}"
    return f"{t.name}.{form}"


@rule(8)
def write_part(r: Random, s: Scene) -> str | None:
    t = s.pick_writable(r)
    if t is None or not t.ndim:
        return None
    index = index_text(r, t, advanced=r.random() < 0.4)
    fits = (lambda o: o.is_float) if s.smooth else (lambda o: True)
    b = s.pick(r, lambda o: fits(o) and o.ndim < max(t.ndim, 1) and (not o.is_complex or t.is_complex) and o.numel == 1)
    value = r.choice([b.name if b else "1", number(r, t), f"{t.name}[{index}] * 2" if t.dtype != "bool" else "1"])
    if r.random() < 0.3:
        return f"{t.name}[{index}] {r.choice(['+=', '*='])} {value}"
    return f"{t.name}[{index}] = {value}"


@rule(1)
def write_component(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_complex and not (t.is_leaf and t.requires_grad))
    return t and f"{t.name}.{r.choice(['imag.mul_(3)', 'real.mul_(2)', 'imag[...] = 1', 'real = 2 * ' + t.name + '.imag', 'imag = ' + t.name + '.real'])}"


@rule(1, smooth=False)
def write_unrecorded(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float)
    return t and f"with torch.no_grad(): {t.name}.{r.choice(['mul_(0.5)', 'add_(1)', 'zero_()', 'view(-1).mul_(2)' if t.numel else 'mul_(2)'])}"


# Layers

@rule(2.5)
def make_layer(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float and t.ndim > 0 and t.numel > 0 and t.dtype in ("float64", "float32"))
    if t is None or len(s.layers) > 2:
        return None
    n = t.shape[-1]
    forms = [f"Linear({n}, {r.choice([1, 2, 3])})"] * 3
    forms += [f"LayerNorm({n})"] if n > 1 else []
    if t.ndim in (2, 3):
        forms += [f"Conv1d({t.shape[-2]}, 2, {min(2, n)})", f"RNN({n}, 2)", f"LSTM({n}, 2)", f"GRU({n}, 2)", f"MultiheadAttention({n}, 1)", f"PReLU({t.shape[1]})"]
    if t.ndim == 2 and t.shape[0] > 1 or t.ndim == 3 and t.shape[0] * t.shape[2] > 1:
        forms += [f"BatchNorm1d({t.shape[1]})"] * (not s.smooth)
    if t.ndim == 4:
        forms += [f"Conv2d({t.shape[1]}, 2, 1)", f"ConvTranspose2d({t.shape[1]}, 2, 2)", f"GroupNorm(1, {t.shape[1]})" if t.numel > t.shape[0] else "Linear(1, 1)"]
    name = f"m{s.lines}"
    dtype = "" if t.dtype == "float32" else ".double()"
    s.layers.append(name)
    return f"{name} = layer(torch.nn.{r.choice(forms)}{dtype}, {r.randrange(1000)})"


@rule(4)
def call_layer(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float and t.ndim > 0)
    if t is None or not s.layers:
        return None
    m = r.choice(s.layers)
    return f"{s.new()} = {m}({t.name}) if not isinstance({m}, (torch.nn.MultiheadAttention, torch.nn.RNNBase)) else {m}(*[{t.name}] * (3 if isinstance({m}, torch.nn.MultiheadAttention) else 1))[0]"


@rule(2)
def apply_function(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float and t.ndim > 0 and t.numel > 0)
    if t is None:
        return None
    x, n = t.name, t.shape[-1]
    forms = [f"normalize({x}, dim=-1)", f"layer_norm({x}, [{n}])" if n > 1 else f"softplus({x})", f"pad({x}, [1, 0])", f"glu({x}, -1)" if n % 2 == 0 else f"silu({x})", f"mse_loss({x}, {x} * 0.5)",
             f"smooth_l1_loss({x}, {x} * 0.5)", f"dropout({x}, training=False)", f"softmin({x}, -1)", f"cosine_similarity({x}, {x} + 1, -1)"]
    if t.ndim == 3:
        forms += [f"max_pool1d({x}, {min(2, n)})", f"avg_pool1d({x}, {min(2, n)})", f"interpolate({x}, scale_factor=2)", f"scaled_dot_product_attention({x}, {x}, {x})", f"local_response_norm({x}, 2)"]
    if t.ndim == 4:
        forms += [f"max_pool2d({x}, 1)", f"interpolate({x}, scale_factor=2, mode='bilinear')", f"adaptive_avg_pool2d({x}, 1)", f"pixel_shuffle({x}, 1)", f"pad({x}, [0, 1, 0, 1], mode='replicate')"]
    if t.ndim == 2 and n > 1:
        forms += [f"cross_entropy({x}, torch.zeros({t.shape[0]}, dtype=torch.int64))", f"nll_loss({x}, torch.ones({t.shape[0]}, dtype=torch.int64))", f"cross_entropy({x}, {x}.softmax(-1))"]
    return f"{s.new()} = torch.nn.functional.{r.choice(forms)}"


# Backward

@rule(2.5, smooth=False)
def backward(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.requires_grad and (t.is_float or t.is_complex))
    if t is None:
        return None
    scalar = f"{t.name}.{'abs().' if t.is_complex else ''}{r.choice(['sum', 'sum', 'mean'])}()"
    retain = r.choice(["", "", "retain_graph=True", "create_graph=True"])
    return f"{scalar}.backward({retain})"


@rule(1.5)
def gradient_of_gradient(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.requires_grad and t.is_float)
    x = s.pick(r, lambda t: t.requires_grad and t.is_leaf and t.is_float)
    if t is None or x is None:
        return None
    return f"{s.new()} = torch.autograd.grad({t.name}.square().sum(), {x.name}, create_graph=True, allow_unused=True, materialize_grads=True)[0]"


@rule(1, smooth=False)
def step(r: Random, s: Scene) -> str | None:
    if not s.layers:
        return None
    m = r.choice(s.layers)
    kind = r.choice(["SGD({}, lr=0.1, momentum=0.9)", "Adam({}, lr=0.01)", "AdamW({}, lr=0.01)", "RMSprop({}, lr=0.01)"]).format(f"{m}.parameters()")
    return r.choice([f"torch.optim.{kind}.step()", f"torch.nn.utils.clip_grad_norm_({m}.parameters(), 0.5)", f"{m}.zero_grad()", f"{m}.eval()"])


@rule(0.7, smooth=False)
def hook(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.requires_grad)
    return t and f"{t.name}.register_hook({r.choice(['lambda g: g * 2', 'lambda g: g.clamp_(max=0.1)' if t.is_float else 'lambda g: g * 3', 'lambda g: None'])})"


def last_line(things: list[Thing], exact: bool = False) -> str | None:
    """The backward pass from everything that requires grad."""
    wanted = [t for t in things if t.requires_grad and (t.is_float or t.is_complex)]
    if not wanted:
        return None
    terms = " + ".join(f"{t.name}.{'real.' if t.is_complex else ''}sum(){'' if exact else '.double()'}" for t in wanted)
    return f"({terms}).backward()"


def things_of(seen: dict[str, Any]) -> list[Thing]:
    """The tensors that lines may use, of what was seen last."""
    return [Thing(name, s.shape, s.dtype, s.requires_grad, s.is_leaf) for name, s in seen.items() if "." not in name]
