"""11. Convolution is a matrix: drawn, equal to `conv2d`, and its transpose is `conv_transpose2d` and the way of the gradient.

Teaches: what a linear layer and a convolution have in common, weights that are shared, what "transposed" means, `unfold`.
Source: Dumoulin and Visin (2016), https://arxiv.org/abs/1603.07285; checkerboards: Odena et al. (2016),
https://doi.org/10.23915/distill.00003.
Result: As a matrix and its transpose, conv2d, conv_transpose2d and the gradient of 6 convolutions are the same to
9e-16.
Time: 1 s on one core.
"""

import numpy as np
from common import options, plt, report
from data import digits

import minigrad as torch
from minigrad.nn import functional as F


def matrix_of(linear, shape):
    """The matrix of a linear function of images of this shape: its columns are what becomes of one pixel each."""
    pixels = torch.eye(int(np.prod(shape)), dtype=torch.float64).reshape(-1, *shape)
    return linear(pixels).flatten(1).T


def largest_difference(name, a, b):
    difference = (a - b).abs().max().item()
    print(f"{name:58} {tuple(a.shape)!s:16} differ by at most {difference:.1e}")
    return difference


def compare(image, kernel, stride, padding):
    """A convolution by its matrix, forward, transposed and backward; gives the largest difference, and the matrix."""
    setting = {"stride": stride, "padding": padding}
    matrix = matrix_of(lambda pixels: F.conv2d(pixels, kernel, **setting), image.shape[1:])
    print(f"\nstride {stride}, padding {padding}: the matrix has {matrix.numel():,} entries, {(matrix != 0).sum():,} of them not "
          f"0, and {kernel.numel()} different ones to learn")

    image = image.clone().requires_grad_()
    out = F.conv2d(image, kernel, **setting)
    product = (matrix @ image.flatten()).reshape(out.shape)
    differences = [largest_difference("the matrix times the image, and conv2d", product, out)]

    # The transposed matrix leads from the shape of the result back to that of the image: it is not the inverse.
    coming = torch.randn(out.shape, dtype=torch.float64)
    back = (matrix.T @ coming.flatten()).reshape(image.shape)
    lost = [(side + 2 * padding - size) % stride for side, size in zip(image.shape[2:], kernel.shape[2:])]
    differences.append(largest_difference("its transpose times a result, and conv_transpose2d", back,
                                          F.conv_transpose2d(coming, kernel, output_padding=lost, **setting)))
    out.backward(coming)
    differences.append(largest_difference("its transpose times a gradient, and what backward() says", back, image.grad))

    # Computers multiply the other way round: the pixels under each place of the window, as columns, by the weights as a row.
    windows = F.unfold(image, kernel.shape[2:], **setting)
    differences.append(largest_difference("the weights times the windows as columns, and conv2d",
                                          (kernel.flatten() @ windows).reshape(out.shape), out))
    return max(differences), matrix


def draw(image, kernel, matrix, path):
    """Above: an image, the matrix and what it makes of it. Below: what the transpose makes of one pixel, and of ones."""
    figure, axes = plt.subplots(2, 3, figsize=(8.4, 5.8), width_ratios=[1, 1.25, 1])
    out = (matrix @ image.flatten()).reshape(6, 6)
    one = torch.zeros(6, 6, dtype=torch.float64)
    one[2, 3] = 1
    ones = torch.ones(1, 1, 5, 5, dtype=torch.float64)
    uneven = F.conv_transpose2d(ones, torch.ones(1, 1, 3, 3, dtype=torch.float64), stride=2)
    grey, signed = {"cmap": "gray", "vmin": 0}, {"cmap": "RdBu", "vmin": -2, "vmax": 2}
    largest = out.abs().max().item()
    panels = [("a digit of 8 x 8 pixels", image[0, 0], grey),
              ("a 3x3 convolution, 36 x 64", matrix, signed),
              ("matrix times digit: edges, 6 x 6", out, {"cmap": "RdBu", "vmin": -largest, "vmax": largest}),
              ("transpose times one pixel:\nthe kernel, where it looked", (matrix.T @ one.flatten()).reshape(8, 8), signed),
              ("its transpose, 64 x 36", matrix.T, signed),
              ("of ones, with stride 2: kernels of 3\noverlap unevenly, a checkerboard", uneven[0, 0], grey)]
    for ax, (title, values, look) in zip(axes.flat, panels):
        shown = ax.imshow(values, **look)
        figure.colorbar(shown, ax=ax, shrink=0.6)
        ax.set_title(title, fontsize=10)
    axes[0, 1].set(xlabel="pixel of the image", ylabel="pixel of the result")
    axes[1, 1].set(xlabel="pixel of the result", ylabel="pixel of the image")
    figure.savefig(path)
    print("\nrows of the matrix are the kernel, moved by one pixel each: a linear layer would have learnt each of its entries")
    print("kernel:", kernel[0, 0].tolist())


def main():
    args = options(__doc__, digit=3)
    torch.manual_seed(args.seed)
    images, labels = digits()
    image = torch.from_numpy(images[labels == args.digit][:1]).double()  # (1, 1, 8, 8)
    sobel = torch.tensor([[[[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]]], dtype=torch.float64)

    found = [compare(image, kernel, stride, padding) for kernel in (sobel, torch.randn(1, 1, 3, 2, dtype=torch.float64))
             for stride, padding in ((1, 0), (2, 0), (2, 1))]
    draw(image, sobel, found[0][1], args.out / "matrix.png")
    largest = max(difference for difference, _ in found)
    report(args, f"As a matrix and its transpose, conv2d, conv_transpose2d and the gradient of {len(found)} convolutions are the "
                 f"same to {largest:.0e}.", picture="matrix.png", largest_difference=largest)


if __name__ == "__main__":
    main()
