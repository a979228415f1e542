"""1. Tensors for those who know NumPy: parts, sums, products, writing in place, and who shares whose memory.

Teaches: slicing, reductions by `dim`, broadcasting, `mm` and `bmm`, in-place forms with `_`, `Y[:] = X + Y`, views and copies,
`torch.tensor` against `torch.Tensor`, and NumPy on both sides.
Source: the array model of Harris et al. (2020), https://doi.org/10.1038/s41586-020-2649-2; the names and rules are PyTorch's,
https://docs.pytorch.org/docs/stable/tensor_view.html.
Result: Of 15 ways to make a tensor from another 9 share its memory. The nearest of ten mean images, by one matrix
product, names 85.6% of the 397 digits held out (guessing: 10 %).
Time: 1 s on one core.
"""

import numpy as np
from common import options, plt, report
from data import digits

import minigrad as torch


def make():
    """tensor() takes numbers and keeps their kind; Tensor() takes sizes, or makes floats of what it is given."""
    print("tensor([1, 2])", torch.tensor([1, 2]).dtype, "  Tensor([1, 2])", torch.Tensor([1, 2]).dtype)
    print("tensor(3) is a number of shape", tuple(torch.tensor(3).shape), "  Tensor(3) is memory not yet written, of shape",
          tuple(torch.Tensor(3).shape))
    print("floats of Python become", torch.tensor([0.5]).dtype, "  those of NumPy stay", torch.tensor(np.array([0.5])).dtype)


def take_parts(x):
    """Slices, lists of numbers and masks are as in NumPy, without negative steps: flip() reverses."""
    print("x", tuple(x.shape), "  x[0]", tuple(x[0].shape), "  x[:, 2:6, ::2]", tuple(x[:, 2:6, ::2].shape), "  x[:, None]",
          tuple(x[:, None].shape), "  x[[3, 1, 4]]", tuple(x[[3, 1, 4]].shape), "  x[x > 0.5]", tuple(x[x > 0.5].shape))
    try:
        x[::-1]
    except ValueError as error:
        print("x[::-1] is refused:", error)
    assert torch.equal(x.flip(0)[0], x[-1])


def write_in_place():
    """`Y = X + Y` makes a new tensor and gives it the name; the other three write into the memory that Y has."""
    ways = {}
    for way in ("Y = X + Y", "Y[:] = X + Y", "Y += X", "Y.add_(X)"):
        names = {"X": torch.ones(3), "Y": torch.zeros(3)}
        before = id(names["Y"]), names["Y"].data_ptr()
        exec(way, names)
        assert names["Y"].tolist() == [1, 1, 1]
        ways[way] = (id(names["Y"]), names["Y"].data_ptr()) == before
        print(f"{way:13}", "the same tensor, the same memory" if ways[way] else "another tensor")
    return sum(ways.values())


def share_memory():
    """For each way to make a tensor from X: does a write into X show in it? Found out by writing."""
    ways = ["X[1]", "X[:, ::2]", "X.T", "X.view(8)", "X.reshape(8)", "X.T.reshape(8)", "X.expand(3, 2, 4)", "X.detach()",
            "X.numpy()", "torch.from_numpy(X.numpy())", "torch.tensor(X.numpy())", "X.clone()", "X[[0, 1]]", "X[X < 9]", "X + 0"]
    shared = {}
    for way in ways:
        X = torch.arange(8.0).view(2, 4)
        made = eval(way, {"X": X, "torch": torch})
        before = np.array(made)
        X += 100
        shared[way] = bool((np.array(made) != before).any())
    return shared


def average(images, labels):
    """The mean image of each digit, (10, 8, 8): `dim` says which dimension a reduction takes away, as `axis` does in NumPy."""
    return torch.stack([images[labels == digit].mean(dim=0) for digit in range(10)])


def nearest(means, images):
    """Which mean is nearest to each image: |m - x|^2 = |m|^2 - 2 m.x + |x|^2, for all pairs by one matrix product."""
    flat, centers = images.flatten(1), means.flatten(1)
    products = torch.mm(flat, centers.T)  # (images, 64) by (64, 10)
    batched = torch.bmm(flat[:, None, :], centers.T.expand(len(flat), -1, -1))[:, 0]  # as many products of (1, 64) by (64, 10)
    assert torch.allclose(products, batched, atol=1e-5)
    distances = (centers**2).sum(dim=1) - 2 * products + (flat**2).sum(dim=1, keepdim=True)  # (10,), (n, 10) and (n, 1) broadcast
    return distances.argmin(dim=1)


def draw(path, shared, means):
    """What shares memory, how shapes broadcast, and the mean digits."""
    figure = plt.figure(figsize=(6.4, 5))
    left, right = figure.subfigures(1, 2, width_ratios=(1, 1))
    axes = left.subplots()
    axes.set_title("A write into X shows in ...", fontsize=11)
    axes.set(xlim=(0, 1), ylim=(len(shared) - 0.5, -0.5))
    axes.axis("off")
    for row, (way, same) in enumerate(shared.items()):
        axes.text(0, row, way, family="monospace", va="center", fontsize=8)
        axes.text(1, row, "shared" if same else "copied", color="white", va="center", ha="right", fontsize=8,
                  bbox={"boxstyle": "round", "facecolor": "tab:blue" if same else "tab:orange", "edgecolor": "none"})
    upper, lower = right.subfigures(2, 1)
    upper.suptitle("(3, 1) + (4,) gives (3, 4)", fontsize=11)
    column, row = torch.tensor([[0], [10], [20]]), torch.arange(4)
    for axes, table, sign in zip(upper.subplots(1, 3, width_ratios=(1, 4, 4)), (column, row[None], column + row), ("+", "=", "")):
        axes.imshow(table, cmap="Blues", vmin=0, vmax=40)
        axes.axis("off")
        axes.text(1.02 + 0.1 / table.shape[1], 0.5, sign, transform=axes.transAxes, ha="left", va="center", fontsize=12)
        for (i, j), value in np.ndenumerate(table.numpy()):
            axes.text(j, i, value, ha="center", va="center", fontsize=8)
    lower.suptitle("images[labels == digit].mean(dim=0)", fontsize=11)
    for axes, mean in zip(lower.subplots(2, 5).flat, means):
        axes.imshow(mean, cmap="gray_r")
        axes.axis("off")
    figure.savefig(path)


def main():
    args = options(__doc__)
    make()
    images, labels = (torch.from_numpy(array) for array in digits())
    images = images[:, 0]
    take_parts(images)
    in_place = write_in_place()
    shared = share_memory()
    means = average(images[:1400], labels[:1400])
    accuracy = (nearest(means, images[1400:]) == labels[1400:]).float().mean().item()
    draw(args.out / "memory.png", shared, means)
    report(args, f"Of {len(shared)} ways to make a tensor from another {sum(shared.values())} share its memory. The nearest of "
           f"ten mean images, by one matrix product, names {accuracy:.1%} of the 397 digits held out (guessing: 10 %).",
           picture="memory.png", shared=sum(shared.values()), ways=len(shared), in_place=in_place, accuracy=accuracy)


if __name__ == "__main__":
    main()
