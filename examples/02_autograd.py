"""2. A tour of autograd: a result remembers how it was made, and so can be differentiated.

Teaches: leaves, `grad_fn` and `next_functions`, gradients that add up, `backward(gradient)`, a Jacobian by two backward passes
over a retained graph, `no_grad`, `detach` against `.data`, and the drawing of a graph.
Source: reverse accumulation, Linnainmaa (1976), https://doi.org/10.1007/BF01931367; Baydin et al. (2018),
https://jmlr.org/papers/v18/17-468.html.
Result: A Jacobian by two backward passes is off its formula by 0. A descent of 30 steps towards 2 arrives at 2.004 with
cleared gradients and at 3.144 without.
Time: 0 s on one core.
"""

from common import options, report

import minigrad as torch
from minigrad import viz


def say(title, *what):
    print(f"\n{title}\n{'-' * len(title)}", *what, sep="\n")


def leaves():
    """Who is a leaf, and what a result knows."""
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    square = x * x
    y = square.sum()
    say("Leaves and results", f"x: leaf {x.is_leaf}, made by {x.grad_fn}", f"y: leaf {y.is_leaf}, made by {y.grad_fn.name()}")
    print("the graph, from y back:", end=" ")
    node = y.grad_fn
    while node:  # an edge leads from each result to what made its input, in the end to a node that adds to the leaf's .grad
        print(node.name(), end=" <- " if node.next_functions else "\n")
        node = node.next_functions[0][0] if node.next_functions else None
    y.backward()
    print("dy/dx =", x.grad.tolist(), " kept by the leaf; a result keeps none unless retain_grad() asks it to")
    return x


def accumulate(x, steps=30):
    """Gradients add up: the second pass adds to what the first one left. A descent that never forgets swings past its goal."""
    (x * x).sum().backward()
    say("Gradients add up", f"after a second pass x.grad = {x.grad.tolist()}, twice as much")
    ends = {}
    for forgets in (True, False):
        place = torch.tensor(5.0, requires_grad=True)
        for _ in range(steps):
            (place - 2).square().backward()
            with torch.no_grad():  # the step is not part of what is differentiated
                place -= 0.1 * place.grad
            if forgets:
                place.grad = None
        ends[forgets] = place.item()
    print(f"{steps} steps towards 2: with the gradient cleared {ends[True]:.3f}, without {ends[False]:.3f}")
    return ends


def jacobian(polar):
    """All derivatives of (x, y) = (r cos a, r sin a) by (r, a). backward(g) gives g^T J, a row for each unit vector."""
    def place(polar):
        r, a = polar
        return torch.stack((r * a.cos(), r * a.sin()))

    point, rows = place(polar), []
    for unit in torch.eye(2, dtype=polar.dtype):
        point.backward(unit, retain_graph=True)  # else the first pass frees what the second one needs
        rows.append(polar.grad)
        polar.grad = None
    found = torch.stack(rows)
    r, a = polar.detach()
    formula = torch.tensor([[a.cos(), -r * a.sin()], [a.sin(), r * a.cos()]], dtype=polar.dtype)
    error = (found - formula).abs().max().item()
    say("A Jacobian by two backward passes", found, f"its largest error is {error:g}, its determinant is r: {found.det():.3f}")
    assert torch.equal(found, torch.autograd.functional.jacobian(place, polar))  # which does the same
    try:
        point.backward(unit)  # this pass does not retain the graph,
        point.backward(unit)  # and so there is none for the next
    except RuntimeError as refused:
        print("a pass more than was retained:", refused)
    return error


def cut():
    """no_grad records nothing; detach() shares memory, and writes through it are noticed; those through .data are not."""
    w = torch.tensor([0.0, 1.0], requires_grad=True)
    with torch.no_grad():
        double = w * 2
    say("Cutting", f"requires_grad: {double.requires_grad} under no_grad, {w.detach().requires_grad} behind detach()")
    y = w.exp()  # its derivative is its result, which it keeps
    y.detach().zero_()
    try:
        y.sum().backward()
    except RuntimeError as refused:
        print("a write through detach() into what the derivative needs:", refused)
    y = w.exp()
    y.data.zero_()
    y.sum().backward()
    print(f"the same through .data goes unseen, and the gradient is wrong: {w.grad.tolist()} instead of {w.exp().tolist()}")
    return w.grad.tolist()


def draw(path):
    """The graph of a neuron's loss: every value on the way down, every gradient on the way back."""
    w, b = torch.tensor(0.5, requires_grad=True), torch.tensor(-0.2, requires_grad=True)
    x, target = torch.tensor(2.0), torch.tensor(1.0)
    with viz.record() as recording:
        loss = (torch.tanh(w * x + b) - target) ** 2
        loss.backward()
    drawing = recording.draw()
    drawing.save(path)
    say("The graph, drawn", drawing)
    return w.grad.item(), b.grad.item()


def main():
    args = options(__doc__)
    ends = accumulate(leaves())
    error = jacobian(torch.tensor([2.0, 0.5], dtype=torch.float64, requires_grad=True))
    wrong = cut()
    w_grad, b_grad = draw(args.out / "graph.png")
    say("In short")
    report(args, f"A Jacobian by two backward passes is off its formula by {error:g}. A descent of 30 steps towards 2 arrives "
           f"at {ends[True]:.3f} with cleared gradients and at {ends[False]:.3f} without.",
           picture="graph.png", error=error, cleared=ends[True], uncleared=ends[False], unseen=wrong, w_grad=w_grad,
           b_grad=b_grad)


if __name__ == "__main__":
    main()
