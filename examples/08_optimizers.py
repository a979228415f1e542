"""5. Optimizers race down Rosenbrock's valley: steep walls, a nearly flat floor, and the minimum 0 at (1, 1)."""

import argparse
import time

import minigrad as torch
from minigrad import optim


def rosenbrock(p):
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=2e-3),
    "SGD, momentum": lambda p: optim.SGD(p, lr=2e-3, momentum=0.9),
    "SGD, Nesterov": lambda p: optim.SGD(p, lr=1e-3, momentum=0.9, nesterov=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=2),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.3),
    "NAdam": lambda p: optim.NAdam(p, lr=0.3),
    "Rprop": lambda p: optim.Rprop(p, lr=0.01),
    "L-BFGS": lambda p: optim.LBFGS(p, line_search_fn="strong_wolfe"),
}


def race(make, steps):
    """Where an optimizer arrives, and after how many evaluations: at most `steps`, fewer if it finds the minimum."""
    p = torch.tensor([-1.5, 1.5], dtype=torch.float64, requires_grad=True)
    optimizer = make([p])
    evaluations = 0

    def closure():
        nonlocal evaluations
        evaluations += 1
        optimizer.zero_grad()
        loss = rosenbrock(p)
        loss.backward()
        return loss

    loss = rosenbrock(p)
    while evaluations < steps and loss > 1e-10:
        loss = optimizer.step(closure)
    return p.detach(), evaluations


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=1500, help="evaluations of the function that each may use")
    args = parser.parse_args()

    print(f"start: (-1.5, 1.5), loss {rosenbrock(torch.tensor([-1.5, 1.5])).item():.2f}")
    print(f"{'optimizer':<15}{'evaluations':>12}{'x':>9}{'y':>9}{'loss':>11}{'seconds':>9}")
    for name, make in OPTIMIZERS.items():
        start = time.perf_counter()
        p, evaluations = race(make, args.steps)
        seconds = time.perf_counter() - start
        print(f"{name:<15}{evaluations:>12}{p[0].item():>9.4f}{p[1].item():>9.4f}{rosenbrock(p).item():>11.2e}{seconds:>9.2f}")


if __name__ == "__main__":
    main()
