"""11. The classic networks that see: LeNet, AlexNet, VGG, GoogLeNet, ResNet and a capsule network, each small, read digits.

Teaches: what each network added: pooling, ReLU and dropout, 3x3 convolutions, branches, shortcuts, vectors that agree.
Source: LeCun et al. (1998), http://yann.lecun.com/exdb/publis/pdf/lecun-98.pdf; Krizhevsky et al. (2012); arxiv.org/abs/1409.1556
(VGG), 1409.4842 (GoogLeNet), 1512.03385 (ResNet), 1710.09829 (capsules, here without their decoder), 1502.01852 (how to begin).
Result: After 5 epochs of 8,000 digits, accuracy on 2,000 held-out ones: lenet 96.9%, alexnet 98.8%, vgg 98.9%,
googlenet 98.8%, resnet 98.9%, capsules 97.6%.
Time: 2 min on one core.
"""

from pathlib import Path

import data
from common import options, plt, progress, report

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F


def lenet():
    """1998: convolutions that share their weights, and pooling. Tanh and means, as it was then."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(16 * 5 * 5, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10))


def alexnet():
    """2012: ReLU, maxima of windows that overlap, neighbouring channels that damp each other, dropout."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 5, padding=2), nn.ReLU(), nn.LocalResponseNorm(5), nn.MaxPool2d(3, stride=2),
        nn.Conv2d(16, 32, 5, padding=2), nn.ReLU(), nn.LocalResponseNorm(5), nn.MaxPool2d(3, stride=2),
        nn.Conv2d(32, 48, 3, padding=1), nn.ReLU(), nn.Conv2d(48, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(3, stride=2),
        nn.Flatten(), nn.Dropout(), nn.Linear(32 * 2 * 2, 128), nn.ReLU(), nn.Dropout(), nn.Linear(128, 10))


def vgg():
    """2014: nothing but 3x3 convolutions, two of which see as much as one of 5x5, and twice the channels at half the size."""
    layers = []
    for channels, width in zip((1, 16, 32), (16, 32, 64)):
        layers += [nn.Conv2d(channels, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU(),
                   nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(64 * 3 * 3, 128), nn.ReLU(), nn.Dropout(), nn.Linear(128, 10))


def convolution(channels, width, size, stride=1):
    """A convolution, its normalization and ReLU: what the later networks are made of."""
    return nn.Sequential(nn.Conv2d(channels, width, size, stride, size // 2, bias=False), nn.BatchNorm2d(width), nn.ReLU())


class Inception(nn.Module):
    """2014: several sizes of window side by side; 1x1 convolutions make the channels few before the wide ones see them."""

    def __init__(self, channels, one, three, five, pooled):
        super().__init__()
        self.branches = nn.ModuleList([
            convolution(channels, one, 1),
            nn.Sequential(convolution(channels, three // 2, 1), convolution(three // 2, three, 3)),
            nn.Sequential(convolution(channels, five // 2, 1), convolution(five // 2, five, 5)),
            nn.Sequential(nn.MaxPool2d(3, stride=1, padding=1), convolution(channels, pooled, 1))])

    def forward(self, x):
        return torch.cat([branch(x) for branch in self.branches], dim=1)


def googlenet():
    """Its end is a mean over places instead of wide linear layers: few weights."""
    return nn.Sequential(
        convolution(1, 16, 3), nn.MaxPool2d(2), Inception(16, 8, 16, 4, 4), Inception(32, 12, 24, 8, 4), nn.MaxPool2d(2),
        Inception(48, 16, 32, 8, 8), Inception(64, 16, 32, 8, 8), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


class Residual(nn.Module):
    """2015: what is learnt is added to what came in, so that gradients have a straight way back through any depth."""

    def __init__(self, channels, width, stride):
        super().__init__()
        self.conv = convolution(channels, width, 3, stride)
        self.last = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
        self.shortcut = nn.Identity() if stride == 1 and channels == width else nn.Conv2d(channels, width, 1, stride, bias=False)

    def forward(self, x):
        return F.relu(self.last(self.conv(x)) + self.shortcut(x))


def resnet():
    blocks = Residual(12, 12, 1), Residual(12, 24, 2), Residual(24, 24, 1), Residual(24, 48, 2), Residual(48, 48, 1)
    return nn.Sequential(convolution(1, 12, 3), *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, 10))


class Capsules(nn.Module):
    """2017: small vectors, whose length says whether something is there; what they predict is routed to where most agree."""

    def __init__(self):
        super().__init__()
        self.conv, self.primary = nn.Conv2d(1, 32, 5, stride=2), nn.Conv2d(32, 64, 5, stride=2)
        self.weight = nn.Parameter(torch.randn(128, 10, 16, 8) * 0.1)  # for each of 128 vectors and 10 digits a matrix

    def forward(self, x):
        features = self.primary(F.relu(self.conv(x)))  # (n, 64, 4, 4): at each of 16 places 8 vectors of 8 numbers
        vectors = squash(features.reshape(len(x), 8, 8, 16).permute(0, 3, 1, 2).reshape(len(x), 128, 8))
        predicted = torch.einsum("nic,iodc->niod", vectors, self.weight)
        agreement = torch.zeros(predicted.shape[:3])
        for _ in range(3):
            shares = agreement.softmax(dim=2)
            digits = squash((shares[..., None] * predicted).sum(dim=1))
            agreement = agreement + (predicted * digits[:, None]).sum(dim=3).detach()  # routing itself is not learnt
        return digits.norm(dim=2)


def squash(vectors):
    """The same directions, with lengths brought between 0 and 1."""
    squares = vectors.square().sum(dim=-1, keepdim=True)
    return vectors * squares / (1 + squares) / (squares + 1e-9).sqrt()


def margin_loss(lengths, labels):
    """The vector of the right digit shall be longer than 0.9, all others shorter than 0.1."""
    right = F.one_hot(labels, 10)
    return (right * F.relu(0.9 - lengths) ** 2 + 0.5 * (1 - right) * F.relu(lengths - 0.1) ** 2).sum(dim=1).mean()


NETWORKS = {"lenet": lenet, "alexnet": alexnet, "vgg": vgg, "googlenet": googlenet, "resnet": resnet, "capsules": Capsules}


def train(model, loss_of, images, labels, args, title):
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d):  # so that what goes through many layers neither fades nor grows
            nn.init.kaiming_normal_(layer.weight)
    optimizer = optim.AdamW(model.parameters(), lr=3e-3)
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=args.epochs * -(-len(images) // args.batch))
    for _ in progress(range(args.epochs), title):
        for chosen in torch.randperm(len(images)).split(args.batch):
            loss = loss_of(model(images[chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


@torch.no_grad()
def accuracy(model, images, labels):
    model.eval()
    return (model(images).argmax(dim=1) == labels).float().mean().item()


def read(args):
    """Digits, their labels, and the numbers of those to learn from and of those held out."""
    images, labels = data.mnist(args)
    torch.manual_seed(args.seed)
    order = torch.randperm(len(images))[:450 if args.quick else None]
    return torch.from_numpy(images)[:, None].float() / 255, torch.from_numpy(labels), *order.split(len(order) * 4 // 5)


def layers_that_see(args):
    """For examples 21, a VGG up to its last pooling: of torchvision's weights, if there is their file, else the one of here."""
    if args.weights:
        from minigrad.vision.models.vgg import cfgs, make_layers
        layers = make_layers(cfgs[{"vgg11": "A", "vgg13": "B", "vgg16": "D", "vgg19": "E"}[Path(args.weights).name[:5]]])
        layers.load_state_dict({name[9:]: value for name, value in torch.load(args.weights).items() if name[:9] == "features."})
        return layers
    model, kept = vgg(), Path("runs/11_classic_cnns/vgg.pt")
    if kept.exists():
        model.load_state_dict(torch.load(kept))
    else:
        images, labels, learn, _ = read(args)
        train(model, F.cross_entropy, images[learn], labels[learn], args, "the eyes")
    return model[:15]


def draw(found, path):
    """Errors against how much there is to learn: better is down, smaller is left."""
    figure, axes = plt.subplots(figsize=(5.6, 3.8))
    for name, (weights, share) in found.items():
        axes.plot(weights / 1000, 100 * (1 - share), "o", color="tab:blue")
        axes.text(weights / 1000, 100 * (1 - share) + 0.05, name, ha="center", va="bottom")
    axes.set(xlabel="weights, in thousands", ylabel="errors on held-out digits, in %", xlim=(0, 260), ylim=(0, None))
    figure.savefig(path)


def main():
    args = options(__doc__, model=["all", *NETWORKS], epochs=(5, 3), batch=(64, 16))
    images, labels, learn, test = read(args)
    found = {}
    for name in NETWORKS if args.model == "all" else [args.model]:
        torch.manual_seed(args.seed)
        model = NETWORKS[name]()
        train(model, margin_loss if name == "capsules" else F.cross_entropy, images[learn], labels[learn], args, name)
        found[name] = sum(p.numel() for p in model.parameters()), accuracy(model, images[test], labels[test])
        torch.save(model.state_dict(), args.out / f"{name}.pt")
        print(f"{name:10} {found[name][0]:7,} weights  held-out accuracy {found[name][1]:.2%}")
    draw(found, args.out / "networks.png")
    report(args, f"After {args.epochs} epochs of {len(learn):,} digits, accuracy on {len(test):,} held-out ones: "
                 + ", ".join(f"{name} {share:.1%}" for name, (_, share) in found.items()) + ".",
           picture="networks.png", **{name: share for name, (_, share) in found.items()})


if __name__ == "__main__":
    main()
