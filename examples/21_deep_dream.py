"""21. DeepDream: a photograph is changed until a network sees more of what it knows, and so shows what that is.

Teaches: gradients by the picture instead of the weights, `roll` and `interpolate`, dreams at several sizes, what layers look for.
Source: Mordvintsev et al. (2015), https://research.google/blog/inceptionism-going-deeper-into-neural-networks; pictures that
excite a unit: Erhan et al. (2009). Example 11's network knows nothing but digits and dreams of strokes of a pen. One that dreams
of animals is torchvision's, with the weights of https://download.pytorch.org/models/vgg16-397923af.pth, given by --weights.
Result: The last block responds 18 times as strongly (in mean square) to its dream as to the photograph.
Time: 21 s on one core.
"""

from importlib import import_module

import data
from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn
from minigrad.nn import functional as F

MEAN, STD = (torch.tensor(values).reshape(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def see(layers, image):
    """What these layers make of images from 0 to 1; one that knows no colours is shown red, green and blue as three images."""
    if layers[0].in_channels == 1:
        return layers(image.reshape(-1, 1, *image.shape[2:]))
    return layers((image - MEAN) / STD)


def excite(layers, image, steps, rate=0.01):
    """Goes uphill: the picture changes so that what the layers make of it becomes stronger."""
    for _ in range(steps):
        # Moved to another place each time, so that windows and poolings leave no pattern of their own.
        down, right = torch.randint(-4, 5, (2,)).tolist()
        moved = image.roll((down, right), (2, 3)).detach().requires_grad_()
        loss = -see(layers, moved).square().mean()
        loss.backward()
        uphill = -moved.grad / (moved.grad.abs().mean() + 1e-12)
        image = (moved.detach() + rate * uphill).roll((-down, -right), (2, 3)).clamp(0, 1)
    return image


def resize(image, side):
    return F.interpolate(image, size=(side, side), mode="bilinear", antialias=True)


def dream(layers, photo, args):
    """From small to large: what was dreamt at one size is added to the photograph at the next; so forms of all sizes arise."""
    side, dreamt = photo.shape[2], torch.zeros(1, 3, 8, 8)
    for octave in reversed(range(args.octaves)):
        smaller = resize(photo, round(side / 1.5 ** octave))
        dreamt = excite(layers, smaller + resize(dreamt, smaller.shape[2]), args.steps) - smaller
    return photo + dreamt


def favourites(layers, count, steps, side=40):
    """Pictures that excite single channels most, from noise: of those that see most in noise, since some are dead."""
    image = (0.4 + 0.1 * torch.rand(count, layers[0].in_channels, side, side)).requires_grad_()
    channels = see(layers, image).mean(dim=(0, 2, 3)).topk(count).indices
    for _ in range(steps):
        smooth = F.avg_pool2d(F.pad(image, (1, 1, 1, 1), mode="replicate"), 3, stride=1)  # lest it be noise that excites
        chosen = see(layers, smooth)[torch.arange(count), channels]
        loss = -chosen.mean()
        loss.backward()
        with torch.no_grad():
            image -= 0.02 * image.grad.sign()
            image.clamp_(0, 1)
        image.grad = None
    return smooth.detach()


def draw(pictures, liked, path):
    figure = plt.figure(figsize=(5.6, 2.6))
    upper, lower = figure.subfigures(2, 1, height_ratios=[2.1, 1])
    for ax, (title, picture) in zip(upper.subplots(1, len(pictures)), pictures.items()):
        ax.imshow(picture[0].permute(1, 2, 0).clamp(0, 1))
        ax.set_title(title, fontsize=8)
        ax.set(xticks=[], yticks=[])
    lower.suptitle("what excites single channels of the last block most", fontsize=8)
    for ax, picture in zip(lower.subplots(1, len(liked)), liked):
        ax.imshow(picture.expand(3, -1, -1).permute(1, 2, 0))
        ax.set(xticks=[], yticks=[])
    figure.savefig(path)


def main():
    args = options(__doc__, photo="amber", weights="", size=(224, 64), steps=(12, 4), octaves=(4, 2),
                   epochs=(5, 3), batch=(64, 16))
    torch.manual_seed(args.seed)
    layers = import_module("11_classic_cnns").layers_that_see(args).requires_grad_(False)
    photo = torch.from_numpy(data.photo(args, args.photo, args.size))[None]

    ends = [k for k, layer in enumerate(layers) if isinstance(layer, nn.MaxPool2d)][-3:]
    pictures, strength = {"photograph": photo}, 0.0
    for title, end in progress(list(zip(["last block but two", "last block but one", "last block"], ends)), "dreaming"):
        block = layers[:end]
        pictures[title] = dream(block, photo, args)
        before, after = (see(block, picture).square().mean().item() for picture in (photo, pictures[title]))
        strength = after / before
        print(f"{title}: what it makes of the picture is {strength:.1f} times as strong as of the photograph")
    draw(pictures, favourites(layers[:ends[-1]], 10, 5 * args.steps), args.out / "dream.png")
    report(args, f"The last block responds {strength:.0f} times as strongly (in mean square) to its dream as to the photograph.",
           picture="dream.png", strength=strength)


if __name__ == "__main__":
    main()
