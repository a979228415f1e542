"""The lines that programs are drawn from.

Each rule is a function of a source of chance and the scene, what the program has made so far, and gives a line, or None where it
does not apply. A rule's weight is how often it is drawn. Rules marked ``smooth=False`` are left out of programs whose gradients
are compared with finite differences: a value that is cut off from the graph, or that jumps, has no derivative to compare with.

What lines look like stands in tables, one form to a line: ``{x}`` is the tensor, ``{y}`` another, ``{d}`` and ``{e}`` dimensions
of it, ``{n}`` the size of dimension ``{d}``, ``{k}`` a number, and so on (`fill`).
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
    memory: int
    is_view: bool
    overlaps: bool

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
        """A tensor that may be written in place. A leaf that requires grad may not, nor may what holds one element several times,
        and they are taken rarely."""
        return self.pick(r, lambda t: not (t.is_leaf and t.requires_grad or t.overlaps) or not self.smooth and r.random() < 0.03)


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


def index_text(r: Random, t: Thing, advanced: bool = True, repeats: bool = True) -> str:
    """An index for `t`: integers, slices, None, an ellipsis and, if `advanced`, lists, tensors and masks. Without `repeats`, no
    element is taken twice: which of two writes to it remains is nobody's promise."""
    parts: list[str] = []
    for n in t.shape[:r.randint(0, t.ndim)]:
        kind = r.random()
        if kind < 0.3 and n:
            parts.append(str(r.randrange(-n, n)))
        elif kind < 0.75 or not n or not advanced:
            parts.append(slice_text(r, n))
        elif kind < 0.85:
            parts.append(str([r.randrange(-n, n) for _ in range(2)] if repeats else [r.randrange(n)]))
        elif kind < 0.95 and repeats:
            parts.append(f"torch.tensor({[r.randrange(n) for _ in range(r.choice([1, 2]))]})")
        else:
            parts.append(f"torch.tensor({[r.random() < 0.5 for _ in range(n)]})")
    if r.random() < 0.2:
        parts.insert(r.randint(0, len(parts)), "None")
    if len(parts) < t.ndim and r.random() < 0.2:
        parts.append("...")
    return ", ".join(parts) or "..."


def fill(form: str, r: Random, t: Thing, **more: Any) -> str:
    """A form with its places filled for the tensor `t`."""
    d = dim(r, t)
    n = t.shape[d] if t.ndim else 1
    places = {
        "x": t.name, "d": d, "e": dim(r, t), "n": n, "k": number(r, t), "last": t.shape[-1] if t.ndim else 1, "two": min(2, n),
        "shape": list(t.shape), "reverse": list(t.shape[::-1]), "start": min(1, max(n - 1, 0)), "length": max(n - 1, 0),
        "i": r.randrange(-n, n) if n else 0, "order": r.sample(range(t.ndim), t.ndim), "front": d % t.ndim if t.ndim else 0,
        "some": [r.randrange(max(n, 1)) for _ in range(r.choice([1, 2, 3]))], "ones": [1] * max(t.ndim - 1, 0), **more,
    }
    return form.format(**places)


def choose(r: Random, *tables: str) -> str:
    """One of the forms of some tables."""
    return r.choice([form for table in tables for form in table.strip().split("\n")]).strip()


# Leaves

@rule(3)
def make_leaf(r: Random, s: Scene) -> str | None:
    dtype = r.choice(s.dtypes)
    grad = ("float" in dtype or "complex" in dtype) and r.random() < 0.7
    return f"{s.new()} = leaf({draw_shape(r)}, {dtype!r}, {r.randrange(1000)}{', grad=True' if grad else ''})"


@rule(0.7, smooth=False)
def cut_off(r: Random, s: Scene) -> str | None:
    t = s.pick(r)
    return t and f"{s.new()} = {t.name}.{r.choice(['detach()', 'data', 'clone()', 'detach().clone()'])}"


@rule(0.4, smooth=False)
def copy_deep(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_leaf)
    return t and f"{s.new()} = copy.deepcopy({t.name})"


@rule(0.5, smooth=False)
def ask_for_grad(r: Random, s: Scene) -> str | None:
    t = s.things[-1] if s.things else None  # an older one may have views, which PyTorch then says require grad
    if t is None or not t.is_leaf or not (t.is_float or t.is_complex) or any(o.memory == t.memory for o in s.things[:-1]):
        return None
    return f"{t.name}.requires_grad_({r.choice(['True', 'True', 'False'])})"


# Views

VIEWS = """
    view_as({x})
    unsqueeze(0)
    unsqueeze(-1)
    squeeze()
    squeeze(0)
    squeeze(-1)
    reshape(-1)
    reshape({reverse})
    view(-1)
    view({shape})
    flatten()
    ravel()
    contiguous()
    expand_as({x})
    expand([2, *{shape}])
    sum_to_size({x}.shape)
    T
    mT
    real
"""
REAL_VIEWS = """
    conj()
    adjoint()
    mH
"""
COMPLEX_VIEWS = """
    imag
    real
    mH.resolve_conj()
    conj().resolve_conj()
    resolve_conj()
"""
DIMENSION_VIEWS = """
    select({d}, {i})
    narrow({d}, {start}, {length})
    transpose({d}, {e})
    permute({order})
    movedim({d}, {e})
    swapaxes({d}, {e})
    chunk(2, {d})[0]
    split(1, {d})[-1]
    unbind({d})[0]
    tensor_split(2, {d})[0]
    unfold({d}, {two}, 1)
    unflatten({d}, [{n}, 1])
    flatten({front}, -1)
"""
MATRIX_VIEWS = """
    mT
    diagonal()
    diagonal(1)
    swapdims(0, 1)
"""


@rule(12)
def view(r: Random, s: Scene) -> str | None:
    t = s.pick(r)
    if t is None:
        return None
    tables = [VIEWS, COMPLEX_VIEWS if t.is_complex else REAL_VIEWS]
    tables += [DIMENSION_VIEWS] * (t.ndim > 0) + [MATRIX_VIEWS] * (t.ndim > 1)
    return f"{s.new()} = {t.name}.{fill(choose(r, *tables), r, t)}"


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
    return t and f"{t.name}.{fill(r.choice(['unsqueeze_(0)', 'squeeze_()', 'transpose_({d}, {e})']), r, t)}"


# Pointwise

FUNCTIONS = """
    {x}.exp()
    {x}.tanh()
    {x}.sin()
    {x}.cos()
    {x}.sigmoid()
    {x}.square()
    {x}.neg()
    {x}.atan()
    {x}.sinh()
    {x}.asinh()
    {x}.expm1()
    {x}.positive()
    ({x} + 3).abs()
    ({x} * {x} + 2).reciprocal()
"""
REAL_FUNCTIONS = """
    {x}.relu()
    {x}.erf()
    {x}.abs()
    {x}.abs().log1p()
    ({x} * {x} + 1).sqrt()
    ({x}.square() + 1).rsqrt()
    torch.sinc({x})
    torch.nn.functional.softplus({x})
    torch.nn.functional.gelu({x})
    torch.nn.functional.silu({x})
    torch.nn.functional.leaky_relu({x}, 0.1)
    torch.nn.functional.hardtanh({x})
    torch.nn.functional.softsign({x})
    torch.nn.functional.elu({x})
    torch.nn.functional.mish({x})
    torch.nn.functional.logsigmoid({x})
"""
PAIRS = """
    torch.maximum({x}, {y})
    torch.fmax({x}, {y})
    torch.where({x} > 0, {x}, {y})
    torch.hypot({x}, {y} + 9)
    torch.atan2({x}, {y} + 9)
    torch.add({x}, {y}, alpha=0.5)
    torch.logaddexp({x}, {y})
    torch.xlogy({x}, {y}.square() + 1)
"""


@rule(8)
def unary(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float or t.is_complex)
    return t and f"{s.new()} = {fill(choose(r, FUNCTIONS, *[REAL_FUNCTIONS] * t.is_float), r, t)}"


@rule(12)
def binary(r: Random, s: Scene) -> str | None:
    a = s.pick(r)
    b = s.pick(r, lambda t: a is not None and broadcast_together(a.shape, t.shape)) if r.random() < 0.75 else None
    if a is None:
        return None
    if a.is_float and r.random() < 0.25:
        if b is None or not b.is_float:
            return f"{s.new()} = {a.name} ** {r.choice(['2', '3', '2.0'])}"
        same = ["torch.lerp({x}, {y}, 0.3)", "torch.addcmul({x}, {y}, {y})"] if a.dtype == b.dtype else []
        return f"{s.new()} = {fill(r.choice([choose(r, PAIRS), *same]), r, a, y=b.name)}"
    left, right = a.name, b.name if b else number(r, a)
    if r.random() < 0.3:
        left, right = right, left
    operator = r.choice(["+", "-", "*", "*", "+", "/"])
    if operator == "/" and right[0] == "v":
        right = f"({right} * {right} + 2)"  # away from zero
    return f"{s.new()} = {left} {operator} {right}"


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


# Reductions, order, products

REDUCTIONS = """
    sum()
    sum({d})
    sum({d}, keepdim=True)
    sum(({d},))
"""
FLOAT_REDUCTIONS = """
    mean()
    mean({d})
    mean({d}, keepdim=True)
"""
REAL_REDUCTIONS = """
    cumsum({d})
    softmax({d})
    log_softmax({d})
    logsumexp({d})
    amax({d})
    max()
    max({d}).values
    min({d})[0]
    std({d})
    var({d}, keepdim=True)
    norm()
    norm(dim={d})
    prod({d})
    sort(dim={d}, stable=True)[0]
    topk(1, {d})[0]
    cummax({d})[0]
    median({d}).values
    logcumsumexp({d})
    cumprod({d})
    flip({d})
    roll(1, {d})
"""
WHOLE_REDUCTIONS = """
    prod()
    prod({d})
    cumsum({d})
    amax({d})
    any({d})
    all()
"""
PARTS = """
    index_select({d}, torch.tensor({some}))
    repeat_interleave(2, {d})
    gather({d}, torch.zeros({shape}, dtype=torch.int64))
    repeat([*{ones}, 2])
    take(torch.tensor({some}))
    index_add({d}, torch.tensor([0]), {x}.narrow({d}, 0, 1))
    diff()
    flip(0)
"""
JOINS = """
    cat([{x}, {y}], {d})
    cat([{x}, {x}], {d})
    stack([{x}, {y}], {d})
    hstack([{x}, {y}])
    vstack([{x}, {y}])
"""


@rule(6)
def reduce(r: Random, s: Scene) -> str | None:
    t = s.pick(r)
    if t is None:
        return None
    special = [REAL_REDUCTIONS] if t.is_float else [] if t.is_complex or s.smooth else [WHOLE_REDUCTIONS]
    form = choose(r, REDUCTIONS, *[FLOAT_REDUCTIONS] * (t.is_float or t.is_complex), *special)
    return f"{s.new()} = {t.name}.{fill(form, r, t)}"


@rule(1.5, smooth=False)
def positions(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float)
    forms = ["argmax({d})", "argmin()", "argsort(dim={d}, stable=True)", "isfinite()"]
    return t and f"{s.new()} = {t.name}.{fill(r.choice(forms), r, t)}"


@rule(4)
def put_together(r: Random, s: Scene) -> str | None:
    a = s.pick(r, lambda t: t.ndim > 0)
    b = s.pick(r, lambda t: a is not None and t.shape == a.shape)
    return a and b and f"{s.new()} = torch.{fill(choose(r, JOINS), r, a, y=b.name)}"


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
        return f"{s.new()} = " + r.choice([f"{a.name} @ {a.name}.mT", f"torch.einsum('...ij,...kj->...ki', {a.name}, {a.name})"])
    return f"{s.new()} = torch.outer({a.name}, {b.name})" if b.ndim == 1 else None


@rule(3)
def take_elements(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.ndim > 0 and t.numel > 0)
    if t is None:
        return None
    special = ["tril()", "triu(1)"] * (t.ndim > 1) + ["masked_fill({x} > 0, 0.5)"] * (not t.is_complex)
    return f"{s.new()} = {t.name}.{fill(r.choice([choose(r, PARTS), choose(r, PARTS), *special]), r, t)}"


# In-place writes

WRITES = """
    add_({y})
    mul_({y})
    sub_({y})
    copy_({y})
    zero_()
"""
NUMBER_WRITES = """
    add_({k})
    mul_({k})
    sub_({k})
    fill_({k})
    add_(1, alpha=2)
    index_fill_({d}, torch.tensor([0]), {k})
"""
FLOAT_WRITES = """
    relu_()
    tanh_()
    sigmoid_()
    clamp_(min=-0.5)
    exp_()
    neg_()
    div_(2)
    square_()
    abs_()
    masked_fill_({x} > 0.1, 0.5)
"""
COMPLEX_WRITES = """
    exp_()
    neg_()
    tanh_()
    conj_physical_()
"""
COMPONENT_WRITES = """
    imag.mul_(3)
    real.mul_(2)
    imag[...] = 1
    real = 2 * {x}.imag
    imag = {x}.real
"""


@rule(14)
def write(r: Random, s: Scene) -> str | None:
    t = s.pick_writable(r)
    if t is None:
        return None
    suits = (lambda o: o.is_float or o.is_complex) if s.smooth else (lambda o: True)
    b = s.pick(r, lambda o: suits(o) and fits_into(o.shape, t.shape) and (not o.is_complex or t.is_complex)
               and (o.memory != t.memory or o == t and not t.is_view))  # PyTorch reads what it has written where they overlap
    if b is not None and r.random() < 0.25:
        return f"{t.name} {r.choice(['+=', '-=', '*='])} {b.name}"
    tables = [NUMBER_WRITES] * (t.ndim > 0 and t.numel > 0) + [WRITES] * 2 * (b is not None)
    tables += [FLOAT_WRITES] * t.is_float + [COMPLEX_WRITES] * t.is_complex
    if not tables:
        return None
    fused = ["addcmul_({y}, {y}, value=0.5)"] if b is not None and t.is_float and b.dtype == t.dtype else []
    return f"{t.name}.{fill(r.choice([choose(r, *tables)] * 9 + fused), r, t, y=b.name if b else '')}"


@rule(8)
def write_part(r: Random, s: Scene) -> str | None:
    t = s.pick_writable(r)
    if t is None or not t.ndim:
        return None
    index = index_text(r, t, advanced=r.random() < 0.4, repeats=not s.smooth)
    suits = (lambda o: o.is_float) if s.smooth else (lambda o: True)
    b = s.pick(r, lambda o: suits(o) and o.ndim < t.ndim and (not o.is_complex or t.is_complex) and o.numel == 1
               and o.memory != t.memory)
    value = r.choice([b.name if b else "1", number(r, t), f"{t.name}[{index}] * 2" if t.dtype != "bool" else "1"])
    return f"{t.name}[{index}] {r.choice(['=', '=', '=', '+=', '*='])} {value}"


@rule(1)
def write_component(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_complex and not (t.is_leaf and t.requires_grad))
    return t and f"{t.name}.{fill(choose(r, COMPONENT_WRITES), r, t)}"


@rule(1, smooth=False)
def write_unrecorded(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float and t.numel > 0 and not t.overlaps)
    return t and f"with torch.no_grad(): {t.name}.{r.choice(['mul_(0.5)', 'add_(1)', 'zero_()', 'view(-1).mul_(2)'])}"


# Layers

LAYERS = """
    Linear({last}, 1)
    Linear({last}, 3)
    LayerNorm({last})
    RMSNorm({last})
"""
SEQUENCE_LAYERS = """
    RNN({last}, 2)
    LSTM({last}, 2)
    GRU({last}, 2)
    MultiheadAttention({last}, 1)
"""
CHANNEL_LAYERS = """
    PReLU({channels})
    BatchNorm1d({channels})
    Conv1d({channels}, 2, 1)
"""
IMAGE_LAYERS = """
    Conv2d({channels}, 2, 1)
    ConvTranspose2d({channels}, 2, 2)
    GroupNorm(1, {channels})
    BatchNorm2d({channels})
"""
APPLICATIONS = """
    normalize({x}, dim=-1)
    layer_norm({x}, [{last}])
    pad({x}, [1, 0])
    mse_loss({x}, {x} * 0.5)
    smooth_l1_loss({x}, {x} * 0.5)
    dropout({x}, training=False)
    softmin({x}, -1)
    cosine_similarity({x}, {x} + 1, -1)
    glu({x}, {d})
"""
SIGNAL_APPLICATIONS = """
    max_pool1d({x}, 1)
    avg_pool1d({x}, 1)
    interpolate({x}, scale_factor=2)
    scaled_dot_product_attention({x}, {x}, {x})
    local_response_norm({x}, 2)
"""
IMAGE_APPLICATIONS = """
    max_pool2d({x}, 1)
    interpolate({x}, scale_factor=2, mode='bilinear')
    adaptive_avg_pool2d({x}, 1)
    pixel_shuffle({x}, 1)
    channel_shuffle({x}, 1)
    pad({x}, [0, 1, 0, 1], mode='replicate')
"""
SCORE_APPLICATIONS = """
    cross_entropy({x}, torch.zeros(len({x}), dtype=torch.int64))
    nll_loss({x}, torch.zeros(len({x}), dtype=torch.int64))
    cross_entropy({x}, {x}.softmax(-1))
"""


@rule(2.5)
def make_layer(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.dtype in ("float64", "float32") and t.ndim > 0 and t.numel > 0)
    if t is None or len(s.layers) > 2:
        return None
    tables = [LAYERS, LAYERS] + [SEQUENCE_LAYERS] * (t.ndim in (2, 3)) + [IMAGE_LAYERS] * (t.ndim == 4)
    tables += [CHANNEL_LAYERS] * (t.ndim in (2, 3) and not s.smooth)
    form = fill(choose(r, *tables), r, t, channels=t.shape[1] if t.ndim > 1 else 1)
    name = f"m{s.lines}"
    s.layers.append(name)
    return f"{name} = layer(torch.nn.{form}{'' if t.dtype == 'float32' else '.double()'}, {r.randrange(1000)})"


@rule(4)
def call_layer(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float and t.ndim > 0)
    return f"{s.new()} = call({r.choice(s.layers)}, {t.name})" if t is not None and s.layers else None


@rule(2)
def apply_function(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.is_float and t.ndim > 0 and t.numel > 0)
    if t is None:
        return None
    tables = [APPLICATIONS] + [SCORE_APPLICATIONS] * (t.ndim == 2)
    tables += [SIGNAL_APPLICATIONS] * (t.ndim == 3) + [IMAGE_APPLICATIONS] * (t.ndim == 4)
    return f"{s.new()} = torch.nn.functional.{fill(choose(r, *tables), r, t)}"


# Backward

@rule(2.5, smooth=False)
def backward(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.requires_grad and (t.is_float or t.is_complex))
    if t is None:
        return None
    scalar = f"{t.name}.{'abs().' if t.is_complex else ''}{r.choice(['sum', 'sum', 'mean'])}()"
    return f"{scalar}.backward({r.choice(['', '', 'retain_graph=True', 'create_graph=True'])})"


@rule(1.5)
def gradient_of_gradient(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.requires_grad and t.is_float)
    x = s.pick(r, lambda t: t.requires_grad and t.is_leaf and t.is_float)
    if t is None or x is None:
        return None
    settings = "create_graph=True, allow_unused=True, materialize_grads=True"
    return f"{s.new()} = torch.autograd.grad({t.name}.square().sum(), {x.name}, {settings})[0]"


STEPS = """
    torch.optim.SGD({m}.parameters(), lr=0.1, momentum=0.9).step()
    torch.optim.Adam({m}.parameters(), lr=0.01).step()
    torch.optim.AdamW({m}.parameters(), lr=0.01).step()
    torch.optim.RMSprop({m}.parameters(), lr=0.01).step()
    torch.nn.utils.clip_grad_norm_({m}.parameters(), 0.5)
    {m}.zero_grad()
    {m}.eval()
"""


@rule(1, smooth=False)
def step(r: Random, s: Scene) -> str | None:
    return choose(r, STEPS).format(m=r.choice(s.layers)) if s.layers else None


@rule(0.7, smooth=False)
def hook(r: Random, s: Scene) -> str | None:
    t = s.pick(r, lambda t: t.requires_grad and not t.is_view)
    if t is None:
        return None
    hooks = ["lambda g: g * 2", "lambda g: None", "lambda g: g + 1"]
    return f"{t.name}.register_hook({r.choice(hooks)})"


def last_line(things: list[Thing], exact: bool = False) -> str | None:
    """The backward pass from everything that requires grad."""
    wanted = [t for t in things if t.requires_grad and (t.is_float or t.is_complex)]
    if not wanted:
        return None
    terms = " + ".join(f"{t.name}.{'real.' if t.is_complex else ''}sum(){'' if exact else '.double()'}" for t in wanted)
    return f"({terms}).backward()"


def things_of(seen: dict[str, Any]) -> list[Thing]:
    """The tensors that lines may use, of what was seen last."""
    return [Thing(name, s.shape, s.dtype, s.requires_grad, s.is_leaf, s.memory, s.is_view, s.overlaps)
            for name, s in seen.items() if "." not in name]
