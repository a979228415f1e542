"""21. Style transfer: a photograph is painted anew, in the manner of a painting, by going downhill with the picture itself.

Teaches: what layers keep of a picture, Gram matrices as a measure of style, an optimizer whose only parameter is an image.
Source: Gatys et al. (2015), https://arxiv.org/abs/1508.06576. Example 11's network knows nothing but grey digits, and yet finds
colours and strokes; forms larger than its windows it misses. torchvision's sees them, with the weights of
https://download.pytorch.org/models/vgg19-dcbb9e9d.pth, given by --weights.
Result: After 250 steps the picture's distance in style from the painting is 0.4% of the photograph's, its distance in
content from the photograph 34% of the painting's.
Time: 32 s on one core.
"""

from importlib import import_module

import data
from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F

MEAN, STD = (torch.tensor(values).reshape(1, 3, 1, 1) for values in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def see(layers, image):
    """What each block makes of an image from 0 to 1, as (channels, places).

    A network that knows no colours is shown red, green and blue as three images, whose channels then count as those of one:
    which colours go together is part of a style too.
    """
    x = image.transpose(0, 1) if layers[0].in_channels == 1 else (image - MEAN) / STD
    found = []
    for layer in layers:
        if isinstance(layer, nn.MaxPool2d):
            found.append(x.reshape(-1, x.shape[2] * x.shape[3]))
            x = F.avg_pool2d(x, 2)  # all pixels get a gradient, and not the largest only
        else:
            x = layer(x)
    return found


def grams(found):
    """How often channels respond together, wherever that is: what is left of a picture when places are forgotten."""
    return [block @ block.T / block.shape[1] for block in found]


def distance(a, b):
    """The square of a difference, as a part of the square of what it should be."""
    return (a - b).square().sum() / b.square().sum()


def roughness(image):
    """How far neighbouring pixels differ."""
    return (image[..., 1:, :] - image[..., :-1, :]).abs().mean() + (image[..., :, 1:] - image[..., :, :-1]).abs().mean()


def paint(layers, photo, painting, args):
    """The picture, and after each step its distances in content and style."""
    with torch.no_grad():
        content, style = see(layers, photo)[-2], grams(see(layers, painting))
    picture = photo.clone().requires_grad_()
    optimizer = optim.Adam([picture], lr=0.03)
    distances = []
    bar = progress(range(args.steps), "painting")
    for _ in bar:
        found = see(layers, picture)
        far = distance(found[-2], content)
        strange = sum(distance(mine, wanted) for mine, wanted in zip(grams(found), style)) / len(style)
        loss = far + args.style * strange + 0.3 * roughness(picture)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            picture.clamp_(0, 1)
        distances.append((far.item(), strange.item()))
        bar.set_postfix(content=f"{far.item():.3f}", style=f"{strange.item():.4f}")
    return picture.detach(), distances


def draw(pictures, path):
    figure, axes = plt.subplots(1, len(pictures), figsize=(5.6, 2.1))
    for ax, (title, picture) in zip(axes, pictures.items()):
        ax.imshow(picture[0].permute(1, 2, 0))
        ax.set_title(title, fontsize=9)
        ax.axis("off")
    figure.savefig(path)


def main():
    args = options(__doc__, photo="amber", painting="candy", weights="", size=(192, 64), steps=(250, 30), style=300.0,
                   epochs=(5, 3), batch=(64, 16))
    torch.manual_seed(args.seed)
    layers = import_module("11_classic_cnns").layers_that_see(args).requires_grad_(False)
    photo, painting = (torch.from_numpy(data.photo(args, name, args.size))[None] for name in (args.photo, args.painting))

    picture, distances = paint(layers, photo, painting, args)
    with torch.no_grad():  # what the painting itself, in place of the picture, would have lost of the photograph
        other = distance(see(layers, painting)[-2], see(layers, photo)[-2]).item()
    (_, before), (far, strange) = distances[0], distances[-1]
    draw({"the photograph": photo, "the painting": painting, "the photograph, painted": picture}, args.out / "painted.png")
    report(args, f"After {args.steps} steps the picture's distance in style from the painting is {strange / before:.1%} of the "
                 f"photograph's, its distance in content from the photograph {far / other:.0%} of the painting's.",
           picture="painted.png", style=strange / before, content=far / other)


if __name__ == "__main__":
    main()
