"""25. k-means and PCA by gradient descent: what digits have in common, found without their labels.

Teaches: losses without a network, `cumsum` and `min` in a loss, an ordered basis by nested reconstructions, both results
against the algorithms that are made for them (SVD, Lloyd's), and what clusters are worth on digits held out.
Source: Oja (1982), https://doi.org/10.1007/BF00275687; Lloyd (1982), https://doi.org/10.1109/TIT.1982.1056489; Bottou and Bengio
(1994), Convergence Properties of the K-Means Algorithms.
Result: 10 components found by descent explain 72.31% of digits held out, those of the SVD 72.31%. k-means by descent
ends at a loss of 2.530, Lloyd's algorithm from the same start at 2.530; ten clusters, found without labels, name 69.5%
of the digits held out (guessing: 10 %).
Time: 19 s on one core.
"""

from common import options, plt, progress, report
from data import digits

import minigrad as torch
from minigrad import nn, optim


def components_by_descent(x, count, steps):
    """(count, 64). For each k the first k are to rebuild x as well as they can: that orders them, and makes them orthogonal."""
    basis = nn.Parameter(0.1 * torch.randn(count, x.shape[1]))
    optimizer = optim.Adam([basis], lr=0.02)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in (bar := progress(range(steps), "PCA")):
        parts = (x @ basis.T)[:, :, None] * basis  # what each component adds: (images, count, 64)
        loss = (x[:, None] - parts.cumsum(dim=1)).square().sum(dim=2).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        bar.set_postfix(loss=loss.item())
    return basis.detach()


def explained(x, basis):
    """The share of the variance of x explained: 1 - |x - x Q Q^T|^2 / |x|^2, with Q an orthonormal basis of the components."""
    q = torch.linalg.qr(basis.T).Q
    return 1 - ((x - x @ q @ q.T).square().sum() / x.square().sum()).item()


def distances(x, centers):
    """The squared distance of each image to each center, (images, centers)."""
    return (x[:, None] - centers).square().sum(dim=2)


def centers_by_descent(x, start, steps):
    """Each image pulls the center that is nearest to it: the loss is the mean squared distance to that."""
    centers = nn.Parameter(start.clone())
    optimizer = optim.SGD([centers], lr=1.0, momentum=0.5)
    losses = []
    for _ in (bar := progress(range(steps), "k-means")):
        loss = distances(x, centers).min(dim=1).values.mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        bar.set_postfix(loss=losses[-1])
    return centers.detach(), losses


def centers_by_lloyd(x, start, steps):
    """Each center moves to the mean of the images that it is nearest to, until none moves."""
    centers, losses = start.clone(), []
    for _ in range(steps):
        distance, nearest = distances(x, centers).min(dim=1)
        losses.append(distance.mean().item())
        for k in range(len(centers)):
            if (nearest == k).any():
                centers[k] = x[nearest == k].mean(dim=0)
    return centers, losses


def named_right(centers, x, labels, new, new_labels):
    """The share of new images that have the label that most images of their cluster have in x."""
    nearest = distances(x, centers).argmin(dim=1)
    names = torch.stack([torch.bincount(labels[nearest == k], minlength=10).argmax() for k in range(len(centers))])
    return (names[distances(new, centers).argmin(dim=1)] == new_labels).float().mean().item()


def draw(path, plane, labels, basis, centers, losses):
    """The plane of the first two components, these as images, the centers, and how the loss of k-means fell."""
    figure = plt.figure(figsize=(6.4, 5.2))
    left, right = figure.subfigures(1, 2, width_ratios=(1.25, 1))
    axes = left.subplots()
    axes.scatter(*plane.T, c=labels, cmap="tab10", s=5, alpha=0.6)
    for digit in range(10):
        axes.text(*plane[labels == digit].median(dim=0).values, digit, fontsize=16, weight="bold", ha="center", va="center",
                  bbox={"boxstyle": "circle", "facecolor": "white", "alpha": 0.8, "edgecolor": f"C{digit}"})
    axes.set(title="Digits on two components", xlabel="first component", ylabel="second component")
    upper, middle, lower = right.subfigures(3, 1)
    for panel, title, images, cmap in ((upper, "Components", basis, "RdBu"), (middle, "Centers", centers, "gray_r")):
        panel.suptitle(title)
        for axes, image in zip(panel.subplots(2, 5).flat, images):
            largest = image.abs().max()
            axes.imshow(image.reshape(8, 8), cmap=cmap, vmin=-largest if cmap == "RdBu" else 0, vmax=largest)
            axes.axis("off")
    axes = lower.subplots()
    for name, curve in losses.items():
        axes.semilogx(range(1, len(curve) + 1), curve, label=name)
    axes.set(title="k-means", xlabel="step", ylabel="mean distance²")
    axes.legend(fontsize=8)
    figure.savefig(path)


def main():
    args = options(__doc__, steps=(1500, 150), components=(10, 4), starts=(8, 1))
    torch.manual_seed(args.seed)
    images, labels = (torch.from_numpy(array) for array in digits())
    images = images.flatten(1)
    x, labels, new, new_labels = images[:1400], labels[:1400], images[1400:], labels[1400:]

    mean = x.mean(dim=0)
    basis = components_by_descent(x - mean, args.components, args.steps)
    exact = torch.linalg.svd(x - mean, full_matrices=False).Vh[: args.components]
    variance, best = explained(new - mean, basis), explained(new - mean, exact)
    same = (nn.functional.normalize(basis, dim=1) * exact).sum(dim=1).abs()  # a component has no sign
    print("cosine of each component with that of the SVD:", *same.numpy().round(3))

    # k-means ends in one of many valleys: where depends on the start, so there are several, and the deepest end counts.
    starts = [x[torch.randperm(len(x))[:10]] for _ in range(args.starts)]
    tried = [centers_by_descent(x, start, args.steps // 8) for start in starts]
    print("losses of k-means from each start:", *[f"{losses[-1]:.3f}" for _, losses in tried])
    deepest = min(range(args.starts), key=lambda k: tried[k][1][-1])
    centers, descent = tried[deepest]
    lloyds, lloyd = centers_by_lloyd(x, starts[deepest], args.steps // 8)
    right = named_right(centers, x, labels, new, new_labels)
    print(f"named right by Lloyd's centers {named_right(lloyds, x, labels, new, new_labels):.1%}")
    draw(args.out / "plane.png", (x - mean) @ basis[:2].T, labels, basis, centers, {"descent": descent, "Lloyd": lloyd})
    report(args, f"{args.components} components found by descent explain {variance:.2%} of digits held out, those of the SVD "
           f"{best:.2%}. k-means by descent ends at a loss of {descent[-1]:.3f}, Lloyd's algorithm from the same start at "
           f"{lloyd[-1]:.3f}; ten clusters, found without labels, name {right:.1%} of the digits held out (guessing: 10 %).",
           picture="plane.png", explained=variance, best=best, same=same.min().item(), descent=descent[-1], lloyd=lloyd[-1],
           right=right)


if __name__ == "__main__":
    main()
