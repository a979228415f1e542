"""2. Linear regression, twice: every step by hand, then with nn and optim. Both find the same line."""

import argparse

import minigrad as torch
from minigrad import nn, optim


def by_hand(x, y, steps, lr):
    """Gradient descent with nothing but tensors: forward, backward, a step downhill, gradients forgotten."""
    weight, bias = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    for step in range(steps):
        loss = ((x * weight + bias - y) ** 2).mean()
        loss.backward()
        with torch.no_grad():  # the step itself is not to be differentiated
            for p in (weight, bias):
                p -= lr * p.grad
                p.grad = None
        if step % 20 == 0 or step == steps - 1:
            print(f"by hand  step {step:3}  loss {loss.item():.4f}")
    return weight.item(), bias.item()


def with_modules(x, y, steps, lr):
    """The same, where the module keeps the parameters and the optimizer takes the steps."""
    model = nn.Linear(1, 1)
    nn.init.zeros_(model.weight)
    nn.init.zeros_(model.bias)
    optimizer = optim.SGD(model.parameters(), lr=lr)
    for step in range(steps):
        loss = nn.functional.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 20 == 0 or step == steps - 1:
            print(f"nn       step {step:3}  loss {loss.item():.4f}")
    return model.weight.item(), model.bias.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--lr", type=float, default=0.1)
    args = parser.parse_args()

    torch.manual_seed(0)
    x = torch.randn(200, 1)
    y = 3 * x - 1 + 0.1 * torch.randn(200, 1)
    for name, train in (("by hand", by_hand), ("nn", with_modules)):
        weight, bias = train(x, y, args.steps, args.lr)
        print(f"{name}: y = {weight:.3f} x + {bias:.3f}   (the truth: 3 x - 1)")

    # The best line is also the solution of a linear system, without any steps.
    solution = torch.linalg.lstsq(torch.cat((x, torch.ones_like(x)), dim=1), y).solution
    print(f"exact: y = {solution[0].item():.3f} x + {solution[1].item():.3f}")


if __name__ == "__main__":
    main()
