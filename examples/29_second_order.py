"""29. Derivatives of derivatives: Newton's method with the Hessian, and a network that learns distances from its own slope.

Teaches: `func.grad` and `func.hessian`, quadratic against linear convergence, `create_graph`, and a loss made of gradients.
Source: Rosenbrock (1960), https://doi.org/10.1093/comjnl/3.3.175; Gropp et al. (2020), Implicit Geometric Regularization for
Learning Shapes, https://arxiv.org/abs/2002.10099.
Result: Newton's method needs 6 steps to within 1e-20 of the lowest place of Rosenbrock's valley; 2000 of gradient
descent end 0.12 above it. The distance to a digit's outline, learnt from its slope, is 0.006 off in the mean, 0.055
where only the outline was learnt (a constant: 0.205).
Time: 12 s on one core.
"""

import numpy as np
from common import options, plt, progress, report
from data import digits

import minigrad as torch
from minigrad import nn, optim
from minigrad.func import grad, hessian
from minigrad.nn import functional as F


def rosenbrock(p):
    """A valley along y = x^2 with its lowest place at (1, 1)."""
    x, y = p
    return (1 - x) ** 2 + 100 * (y - x * x) ** 2


def newton(p, steps=8):
    """Each step goes to the lowest place of the parabola that fits the function best where we stand."""
    path = [p]
    for _ in range(steps):
        p = p - torch.linalg.solve(hessian(rosenbrock)(p), grad(rosenbrock)(p))
        path.append(p)
    return torch.stack(path)


def descent(p, steps, lr=1e-3):
    """Each step goes a little way downhill."""
    path = [p]
    for _ in range(steps):
        p = p - lr * grad(rosenbrock)(p)
        path.append(p)
    return torch.stack(path)


def outline(image, count):
    """Points on the line where an image is half dark, (count, 2), in the square from -1 to 1, and which way is outwards."""
    figure, axes = plt.subplots()
    lines = axes.contour(image, [0.5]).allsegs[0]
    plt.close(figure)
    starts, ends = (np.concatenate([line[part] for line in lines]) for part in (slice(None, -1), slice(1, None)))
    length = np.hypot(*(ends - starts).T)
    which = np.searchsorted(length.cumsum(), (np.arange(count) + 0.5) / count * length.sum())  # evenly along the line
    points = (starts + ends)[which] / (len(image) - 1) - 1
    outwards = (ends - starts)[which, ::-1] * (1, -1) / length[which, None]  # what is darker lies to the left of the line
    return torch.from_numpy(points).float(), torch.from_numpy(outwards).float()


def slope(f, x):
    """f's gradient at each point. create_graph: a loss can be made of it, and differentiated in its turn."""
    x = x.clone().requires_grad_()
    return torch.autograd.grad(f(x).sum(), x, create_graph=True)[0]


class Distance(nn.Module):
    """The distance to a circle, which the network's part makes that to another line."""

    def __init__(self, width=64):
        super().__init__()
        self.change = nn.Sequential(nn.Linear(2, width), nn.Softplus(beta=20), nn.Linear(width, width), nn.Softplus(beta=20),
                                    nn.Linear(width, width), nn.Softplus(beta=20), nn.Linear(width, 1))

    def forward(self, x):
        return x.norm(dim=1, keepdim=True) - 0.5 + self.change(x)


def learn_distance(points, outwards, steps, everywhere):
    """A network becomes the distance to an outline, negative inside. It is shown no distance: on the outline it is to be 0 and to
    rise outwards, and everywhere else all that is asked is a slope of 1, which a distance has (the eikonal equation)."""
    f = Distance()
    optimizer = optim.Adam(f.parameters(), lr=5e-3)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in (bar := progress(range(steps), "distance")):
        some = torch.randint(len(points), (128,))
        anywhere = 2 * torch.rand(128, 2) - 1
        loss = 20 * f(points[some]).abs().mean() + (slope(f, points[some]) - outwards[some]).square().sum(dim=1).mean()
        if everywhere:
            loss = loss + (slope(f, anywhere).norm(dim=1) - 1).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        bar.set_postfix(loss=loss.item())
    return f


def true_distance(image, points):
    """For each pixel of the image the distance to the nearest of many points of its outline, negative where the image is dark."""
    axis = torch.linspace(-1, 1, len(image))
    grid = torch.stack(torch.meshgrid(axis, axis, indexing="xy"), dim=2).view(-1, 2)
    distance = torch.cdist(grid, points).min(dim=1).values
    return grid, torch.where(image.reshape(-1) > 0.5, -distance, distance)


def draw(path, paths, heights, image, learnt, truth):
    """Both paths, how the height fell, and the distances: in the picture's half widths, as the axes have them."""
    figure, axes = plt.subplot_mosaic("VC;LT", figsize=(6.4, 5.6))
    x, y = torch.meshgrid(torch.linspace(-2, 2, 200), torch.linspace(-1, 3, 200), indexing="xy")
    axes["V"].contour(x, y, rosenbrock((x, y)), levels=10.0 ** np.arange(-1, 4), colors="lightgray")
    for name, steps in paths.items():
        axes["V"].plot(*steps.T, ".-", markersize=4, label=name)
        axes["C"].loglog(range(1, len(steps) + 1), heights[name], label=name)
    axes["V"].set(title="Rosenbrock's valley", xlabel="x", ylabel="y", ylim=(-1, 3))
    axes["C"].set(title="Height above the lowest place", xlabel="step", ylabel="height", ylim=(1e-30, 1e4))
    axes["C"].legend(fontsize=8)
    for key, title, distance in (("L", "Distance as learnt", learnt), ("T", "True distance", truth)):
        drawn = axes[key].contourf(distance.view(image.shape), levels=np.arange(-0.3, 1.01, 0.1), cmap="RdBu", extend="both",
                                   extent=(-1, 1, -1, 1), origin="lower")
        axes[key].contour(image, [0.5], colors="black", linewidths=1, extent=(-1, 1, -1, 1))
        axes[key].set(title=title, aspect="equal", ylim=(1, -1), xticks=(-1, 0, 1), yticks=(-1, 0, 1))
    figure.colorbar(drawn, ax=[axes["L"], axes["T"]], label="distance")
    figure.savefig(path)


def main():
    args = options(__doc__, steps=(1500, 60), digit=8, descent=(2000, 200))
    torch.manual_seed(args.seed)
    start = torch.tensor([-1.5, 1.5], dtype=torch.float64)
    paths = {"Newton": newton(start), "gradient descent": descent(start, args.descent)}
    heights = {name: torch.stack([rosenbrock(p) for p in path]) for name, path in paths.items()}
    for name, path in paths.items():
        print(f"{name}, {len(path) - 1} steps: at {path[-1].tolist()}, height {heights[name][-1]:.1e}")
    needed = (heights["Newton"] > 1e-20).sum().item()

    images, labels = (torch.from_numpy(array) for array in digits())
    small = F.pad(images[labels == args.digit][:1], (2, 2, 2, 2))
    image = F.interpolate(small, scale_factor=8, mode="bicubic")[0, 0]
    points, outwards = outline(image, 2000)
    grid, truth = true_distance(image, points)
    errors = {}
    for everywhere in (False, True):
        f = learn_distance(points, outwards, args.steps, everywhere)
        with torch.no_grad():
            learnt = f(grid)[:, 0]
        errors[everywhere] = (learnt - truth).abs().mean().item()
    constant = (truth - truth.median()).abs().mean().item()
    draw(args.out / "second_order.png", paths, heights, image, learnt, truth)
    report(args, f"Newton's method needs {needed} steps to within 1e-20 of the lowest place of Rosenbrock's valley; "
           f"{args.descent} of gradient descent end {heights['gradient descent'][-1]:.2f} above it. The distance to a digit's "
           f"outline, learnt from its slope, is {errors[True]:.3f} off in the mean, {errors[False]:.3f} where only the outline "
           f"was learnt (a constant: {constant:.3f}).",
           picture="second_order.png", needed=needed, newton=heights["Newton"][-1].item(),
           descent=heights["gradient descent"][-1].item(), error=errors[True], without=errors[False], constant=constant)


if __name__ == "__main__":
    main()
