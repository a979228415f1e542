"""1. Tensors and autograd: a result remembers how it was made, and so can be differentiated."""

import argparse
from pathlib import Path

import numpy as np

import minigrad as torch
from minigrad import viz
from minigrad.autograd import gradcheck, gradgradcheck
from minigrad.recording.op import op


@op(dtypes="float")
def bump(input): return np.exp(-input * input)
@bump.derivative("input")
def bump_wrt_input(g, input, out): return g * out * input * -2


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=40)
    args = parser.parse_args()

    # A tensor is an array that may ask for its gradient. What is computed from it knows by which operation, and from what.
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    y = (x * x).sum()
    print(y)
    print("made by", y.grad_fn.name(), "from", y.grad_fn.next_functions[0][0].name())
    y.backward()
    print("dy/dx =", x.grad)

    # An operation is declared once, as above: what it computes, and its derivative. NumPy is all it needs.
    # gradcheck compares the derivative with finite differences; from the one rule follow derivatives of every order.
    z = torch.linspace(-2, 2, 5, dtype=torch.float64, requires_grad=True)
    print("first derivative right:", gradcheck(bump, z), " second:", gradgradcheck(bump, z))

    # A derivative says which way is up. Follow it and arrive at the top, which is at 2.
    place = torch.tensor(0.8, requires_grad=True)
    for step in range(args.steps):
        height = bump(place - 2)
        height.backward()
        with torch.no_grad():
            place += 0.3 * place.grad
        place.grad = None
        if step % 10 == 0 or step == args.steps - 1:
            print(f"step {step:3}  place {place.item():.4f}  height {height.item():.4f}")

    # The graph of a result can be looked at: operations, shapes on the arrows, gradients in colour.
    out = Path("runs")
    out.mkdir(exist_ok=True)
    picture = viz.draw(bump(place - 2), params={"place": place}).render(out / "bump.svg", cleanup=True)
    print("the graph is drawn in", picture)


if __name__ == "__main__":
    main()
