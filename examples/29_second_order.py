"""10. Derivatives of derivatives: Newton's method with the Hessian, and a network taught by its own gradient."""

import argparse

import minigrad as torch
from minigrad import nn, optim
from minigrad.func import grad, hessian


def rosenbrock(p):
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def newton(p, steps=8):
    """Each step goes to the minimum of the parabola that fits the function best where we stand."""
    for step in range(steps):
        g, H = grad(rosenbrock)(p), hessian(rosenbrock)(p)
        print(f"newton step {step}  loss {rosenbrock(p).item():9.2e}  |gradient| {g.norm().item():9.2e}")
        p = p - torch.linalg.solve(H, g)
    return p


def gradient(f, x):
    """f's gradient at each point. create_graph: a loss can be made of it, and differentiated in its turn."""
    x = x.requires_grad_()
    return torch.autograd.grad(f(x).sum(), x, create_graph=True)[0]


def distance_to_circle(steps):
    """A network becomes the signed distance to a circle, of which it knows only the line, where the distance is 0 and its
    gradient points outwards. Everywhere else all that is asked is a slope of 1, which a distance has (the eikonal equation)."""
    f = nn.Sequential(nn.Linear(2, 64), nn.Softplus(beta=5), nn.Linear(64, 64), nn.Softplus(beta=5), nn.Linear(64, 1))
    optimizer = optim.Adam(f.parameters(), lr=3e-3)
    for step in range(steps):
        angle = 2 * torch.pi * torch.rand(64)
        circle = torch.stack((angle.cos(), angle.sin()), dim=1)  # of radius 1: each point is its own outward direction
        anywhere = 4 * torch.rand(128, 2) - 2
        loss = (5 * f(circle).square().mean() + (gradient(f, circle) - circle.detach()).square().sum(dim=1).mean()
                + (gradient(f, anywhere).norm(dim=1) - 1).square().mean())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 100 == 0 or step == steps - 1:
            print(f"eikonal step {step:3}  loss {loss.item():.4f}")
    return f


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=500)
    args = parser.parse_args()

    torch.manual_seed(0)
    p = newton(torch.tensor([-1.5, 1.5], dtype=torch.float64))
    print("minimum at", p)

    f = distance_to_circle(args.steps)
    points = torch.tensor([[0.5, 0.0], [0.0, -1.0], [1.5, 0.0], [-1.2, 1.2]])
    with torch.no_grad():
        learnt, true = f(points).squeeze(1), points.norm(dim=1) - 1
    for point, a, b in zip(points.tolist(), learnt.tolist(), true.tolist()):
        print(f"at ({point[0]:4.1f}, {point[1]:4.1f})  learnt {a:+.3f}  distance {b:+.3f}")
    print(f"mean error {(learnt - true).abs().mean().item():.3f}")


if __name__ == "__main__":
    main()
