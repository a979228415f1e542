"""27. A function of one's own: its derivative by hand, tests that search for a counterexample, and a derivative wrong on purpose.

Teaches: `autograd.Function`, `save_for_backward`, properties tested by hypothesis over shapes and layouts, `gradcheck`, the same
as an operation of minigrad's by `@op`, and the straight-through estimator, by which a network of bits learns.
Source: Bengio, Leonard and Courville (2013), Estimating or Propagating Gradients Through Stochastic Neurons,
https://arxiv.org/abs/1308.3432; property-based testing, Claessen and Hughes (2000), https://doi.org/10.1145/351240.351266.
Result: 200 tensors drawn by hypothesis find no fault in the function and the operation, and the planted one at once. A
network of bits names 93.2% of the digits held out, 84.1% with the true derivative, which is 0; tanh in its place 92.7%.
Time: 5 s on one core.
"""

import math

import numpy as np
from common import options, plt, progress, report
from data import digits

import minigrad as torch
from minigrad import nn, optim
from minigrad.library import op
from minigrad.nn import functional as F
from minigrad.testing import assert_gradients_match, tensors

try:
    from hypothesis import given, settings
except ModuleNotFoundError:
    raise SystemExit('this program searches for counterexamples: pip install "minigrad-numpy[examples]"') from None


class LogCosh(torch.autograd.Function):
    """log(cosh(x)), between x^2 / 2 and |x|. Composed, it is infinite from |x| = 89 on in float32; written so, nowhere."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.abs() + torch.log1p(torch.exp(-2 * x.abs())) - math.log(2)

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return g * torch.tanh(x)  # of operations with derivatives of their own: so there is a second one


class WrongLogCosh(LogCosh):
    """The same with a mistake that shows on one side only."""

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return g * torch.tanh(x.abs())


# The same once more, as minigrad's own operations are declared: the forward on arrays, and the rule under it.
@op(dtypes="float")
def logcosh(x): return np.abs(x) + np.log1p(np.exp(-2 * np.abs(x))) - math.log(2)
@logcosh.derivative("x")
def logcosh_wrt_x(g, x): return g * torch.tanh(x)


class Sign(torch.autograd.Function):
    """-1 or 1. Its derivative is 0, and what comes before would learn nothing: so the gradient passes where |x| < 1."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return torch.where(x >= 0, 1.0, -1.0).to(x.dtype)

    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return g * (x.abs() < 1)


def search(function, examples):
    """Does a property fail for any of many tensors drawn? None, or what hypothesis says of the simplest that it found."""
    @settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    @given(tensors(min_value=-20, max_value=20))
    def has_its_properties(x):
        y = function(x)
        assert_gradients_match(function, x)  # both derivatives are those that the values show
        assert torch.equal(y, function(-x))
        assert bool((y <= x.abs() + 1e-12).all() and (y >= x.abs() - math.log(2) - 1e-12).all())

    try:
        has_its_properties()
    except AssertionError as error:
        return f"{str(error).splitlines()[0]}\n{error.__notes__[0]}"
    return None


def train(activation, x, labels, new, new_labels, args):
    """A network of 64, 128 and 10 units; the accuracy on new digits after each epoch."""
    torch.manual_seed(args.seed)  # each begins with the same weights
    first, second = nn.Linear(64, 128), nn.Linear(128, 10)
    optimizer = optim.Adam([*first.parameters(), *second.parameters()], lr=0.01)
    accuracies = []
    for _ in progress(range(args.epochs), "epochs"):
        for batch in torch.randperm(len(x)).split(100):
            loss = F.cross_entropy(second(activation(first(x[batch]))), labels[batch])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            accuracies.append((second(activation(first(new))).argmax(dim=1) == new_labels).float().mean().item())
    return accuracies


def draw(path, curves):
    figure, (left, right) = plt.subplots(1, 2, figsize=(6.4, 3.3))
    x = torch.linspace(-100, 100, 401, requires_grad=True)
    left.plot(x.detach(), x.detach().cosh().log(), linewidth=5, color="lightgray", label="x.cosh().log()")
    y = LogCosh.apply(x)
    left.plot(x.detach(), y.detach(), label="LogCosh")
    left.set(title="LogCosh stays finite", xlabel="x, float32", ylabel="log cosh x")
    left.legend(fontsize=8)
    for name, accuracies in curves.items():
        right.plot(range(1, len(accuracies) + 1), [100 * a for a in accuracies], label=name)
    right.set(title="128 hidden units", xlabel="epoch", ylabel="digits held out, % right")
    right.legend(fontsize=8)
    figure.savefig(path)


def main():
    args = options(__doc__, examples=(200, 20), epochs=(40, 5))
    for name, function in (("LogCosh", LogCosh.apply), ("logcosh, by @op", logcosh)):
        failed = search(function, args.examples)
        print(f"{name}: {failed or f'{args.examples} tensors drawn, none fails'}")
        assert failed is None
    caught = search(WrongLogCosh.apply, args.examples)
    print(f"WrongLogCosh: {caught}")
    x = torch.linspace(-3, 3, 7)
    assert torch.equal(logcosh(x), LogCosh.apply(x))
    points = (x.double() + 0.5).requires_grad_()
    print("Sign passes gradcheck:", torch.autograd.gradcheck(Sign.apply, points, raise_exception=False))

    images, labels = (torch.from_numpy(array) for array in digits())
    images = 2 * images.flatten(1) - 1
    data = images[:1400], labels[:1400], images[1400:], labels[1400:]
    curves = {name: train(activation, *data, args) for name, activation in
              (("tanh", torch.tanh), ("sign, straight through", Sign.apply), ("sign, true derivative", torch.sign))}
    draw(args.out / "own.png", curves)
    tanh, straight, true = (accuracies[-1] for accuracies in curves.values())
    report(args, f"{args.examples} tensors drawn by hypothesis find no fault in the function and the operation, and the planted "
           f"one at once. A network of bits names {straight:.1%} of the digits held out, {true:.1%} with the true derivative, "
           f"which is 0; tanh in its place {tanh:.1%}.",
           picture="own.png", caught=caught is not None, straight=straight, true=true, tanh=tanh)


if __name__ == "__main__":
    main()
