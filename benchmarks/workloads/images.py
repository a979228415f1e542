"""Images.

Convolutional classifiers, a generator with its critic, a transformer of patches, a network for segmentation.
"""

from __future__ import annotations

from typing import Any

from benchmarks.workloads import Program, begin, classes, noise, pictures, tensors, workload


def classifier(torch: Any, model: Any, batches: list[Any], optimizer: str = "Adam", **settings: float) -> Program:
    """A step on the cross entropy of the classes, of Adam where no other optimizer is named."""
    model = begin(torch, model)
    optimizer = getattr(torch.optim, optimizer)(model.parameters(), **settings or {"lr": 1e-3})

    def step(x: Any, y: Any) -> Any:
        loss = torch.nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss
    return step, [tensors(torch, *batch) for batch in batches]


def lenet_network(nn: Any) -> Any:
    """LeNet-5 (LeCun et al., 1998) in its common modern form."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(400, 120), nn.ReLU(), nn.Linear(120, 84), nn.ReLU(), nn.Linear(84, 10))


@workload("LeNet-5, 1x28x28, batch 64, Adam")
def lenet(torch: Any) -> Program:
    return classifier(torch, lenet_network(torch.nn), [pictures(64, 1, 28, seed) for seed in range(4)])


def resnet(nn: Any, widths: tuple[int, ...], blocks: int) -> Any:
    """A residual network (He et al., 2016) in its form for small images: three by three at the entry, no pooling there."""
    class Block(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self, into: int, width: int, stride: int) -> None:
            super().__init__()
            self.conv1, self.norm1 = nn.Conv2d(into, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
            self.conv2, self.norm2 = nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width)
            self.relu = nn.ReLU()
            self.shortcut = nn.Identity() if stride == 1 and into == width else nn.Sequential(
                nn.Conv2d(into, width, 1, stride, bias=False), nn.BatchNorm2d(width))

        def forward(self, x: Any) -> Any:
            return self.relu(self.norm2(self.conv2(self.relu(self.norm1(self.conv1(x))))) + self.shortcut(x))

    layers, into = [nn.Conv2d(3, widths[0], 3, 1, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU()], widths[0]
    for stage, width in enumerate(widths):
        for k in range(blocks):
            layers.append(Block(into, width, 2 if stage and not k else 1))
            into = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(into, 10))


@workload("Small ResNet, 16 to 64 channels, 3x32x32, batch 16, Adam")
def resnet_small(torch: Any) -> Program:
    return classifier(torch, resnet(torch.nn, (16, 32, 64), 1), [pictures(16, 3, 32, seed) for seed in range(4)])


@workload("ResNet-18, 3x32x32, batch 8, SGD with momentum")
def resnet18(torch: Any) -> Program:
    """Learnt in small steps: in float32 larger ones lead apart what in float64 stays together, to the 15th digit."""
    return classifier(torch, resnet(torch.nn, (64, 128, 256, 512), 2), [pictures(8, 3, 32, seed) for seed in range(4)],
                      "SGD", lr=1e-4, momentum=0.9)


@workload("DCGAN, 1x32x32, batch 16, two Adams")
def dcgan(torch: Any) -> Program:
    """A generator and a critic by turns (Radford et al., 2016)."""
    nn = torch.nn
    generator = begin(torch, nn.Sequential(
        nn.ConvTranspose2d(32, 64, 4, 1, 0, bias=False), nn.BatchNorm2d(64), nn.ReLU(),
        nn.ConvTranspose2d(64, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU(),
        nn.ConvTranspose2d(32, 16, 4, 2, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU(),
        nn.ConvTranspose2d(16, 1, 4, 2, 1, bias=False), nn.Tanh()))
    critic = begin(torch, nn.Sequential(
        nn.Conv2d(1, 16, 4, 2, 1, bias=False), nn.LeakyReLU(0.2),
        nn.Conv2d(16, 32, 4, 2, 1, bias=False), nn.BatchNorm2d(32), nn.LeakyReLU(0.2),
        nn.Conv2d(32, 64, 4, 2, 1, bias=False), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
        nn.Conv2d(64, 1, 4, 1, 0, bias=False), nn.Flatten()))
    for_critic = torch.optim.Adam(critic.parameters(), lr=2e-4, betas=(0.5, 0.999))
    for_generator = torch.optim.Adam(generator.parameters(), lr=2e-4, betas=(0.5, 0.999))
    is_real = nn.functional.binary_cross_entropy_with_logits

    def step(real: Any, chance: Any, ones: Any, zeros: Any) -> Any:
        made = generator(chance)
        loss = is_real(critic(real), ones) + is_real(critic(made.detach()), zeros)
        for_critic.zero_grad()
        loss.backward()
        for_critic.step()
        fooled = is_real(critic(made), ones)
        for_generator.zero_grad()
        fooled.backward()
        for_generator.step()
        return loss + fooled
    sides = noise(16, 1) * 0 + 1, noise(16, 1) * 0
    return step, [tensors(torch, pictures(16, 1, 32, k)[0], noise(16, 32, 1, 1, seed=k), *sides) for k in range(4)]


@workload("ViT, patches of 4, 4 layers of 128, 3x32x32, batch 16, Adam")
def vit(torch: Any) -> Program:
    """A transformer that reads an image in patches (Dosovitskiy et al., 2021), from PyTorch's own layers."""
    nn, width, patch = torch.nn, 128, 4
    places = (32 // patch) ** 2 + 1

    class Vit(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, width, patch, patch)
            self.token, self.place = nn.Parameter(torch.zeros(1, 1, width)), nn.Parameter(torch.zeros(1, places, width))
            self.blocks = nn.Sequential(*[nn.TransformerEncoderLayer(width, 4, 4 * width, 0.0, "gelu", batch_first=True,
                                                                     norm_first=True) for _ in range(4)])
            self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 10)

        def forward(self, x: Any) -> Any:
            x = self.patches(x).flatten(2).transpose(1, 2)
            x = torch.cat([self.token.expand(len(x), 1, width), x], 1) + self.place
            return self.head(self.norm(self.blocks(x))[:, 0])

    return classifier(torch, Vit(), [pictures(16, 3, 32, seed) for seed in range(4)])


@workload("U-Net, 16 to 64 channels, 1x64x64, batch 4, Adam")
def unet(torch: Any) -> Program:
    """Which of two classes each pixel is of (Ronneberger et al., 2015)."""
    nn = torch.nn

    def pair(into: int, width: int) -> Any:
        return nn.Sequential(nn.Conv2d(into, width, 3, padding=1), nn.ReLU(), nn.Conv2d(width, width, 3, padding=1), nn.ReLU())

    class Unet(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.down1, self.down2, self.bottom = pair(1, 16), pair(16, 32), pair(32, 64)
            self.pool = nn.MaxPool2d(2)
            self.rise2, self.up2 = nn.ConvTranspose2d(64, 32, 2, 2), pair(64, 32)
            self.rise1, self.up1 = nn.ConvTranspose2d(32, 16, 2, 2), pair(32, 16)
            self.head = nn.Conv2d(16, 2, 1)

        def forward(self, x: Any) -> Any:
            fine = self.down1(x)
            middle = self.down2(self.pool(fine))
            middle = self.up2(torch.cat([middle, self.rise2(self.bottom(self.pool(middle)))], 1))
            return self.head(self.up1(torch.cat([fine, self.rise1(middle)], 1)))

    return classifier(torch, Unet(), [(noise(4, 1, 64, 64, seed=k), classes(2, 4, 64, 64, seed=k)) for k in range(4)])
