"""26. Devices: one program for a CPU, a GPU or several, and what `DataParallel` does, step by step.

Teaches: `device`, `to`, batches that follow the model, `DataParallel` by hand and by module, `map_location`, honest timing.
Source: data parallelism as in Krizhevsky (2014), https://arxiv.org/abs/1404.5997; PyTorch's design is described by Paszke et al.
(2019), https://arxiv.org/abs/1912.01703.
Result: Learnt on cpu, 97.6% of 2000 held-out digits are read right; the gradients of 2 parts of a batch together are
those of the batch to 2e-08.
Time: 6 s on one core.
"""

import copy
import time

from common import options, plt, progress, report
from data import mnist_parts

import minigrad as torch
from minigrad import nn, optim
from minigrad.nn import functional as F
from minigrad.utils.data import DataLoader, TensorDataset


def devices_there():
    """All GPUs, or the CPU where there is none."""
    gpus = [torch.device("cuda", number) for number in range(torch.cuda.device_count())]
    return gpus or [torch.device("cpu")]


def network():
    # Without batch normalization, which would use the mean of its part of a batch, and not that of the batch.
    return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                         nn.Flatten(), nn.Linear(32 * 7 * 7, 10))


def gradients_in_parts(model, devices, images, labels):
    """What DataParallel does: a copy of the model and a part of the batch for each device, and the sum of their gradients."""
    copies = [copy.deepcopy(model).to(device) for device in devices]
    for replica, device, x, y in zip(copies, devices, images.chunk(len(devices)), labels.chunk(len(devices))):
        loss = F.cross_entropy(replica(x.to(device)), y.to(device), reduction="sum") / len(images)
        loss.backward()
    home = next(model.parameters()).device
    return [sum(p.grad.to(home) for p in same) for same in zip(*(replica.parameters() for replica in copies))]


def gradients_at_once(model, images, labels):
    """The gradients of the whole batch, where the model is; DataParallel spreads it by itself."""
    device = next(model.parameters()).device
    model.zero_grad()
    F.cross_entropy(model(images.to(device)), labels.to(device)).backward()
    return [p.grad for p in model.parameters()]


def train(model, loader, epochs, lr):
    """The loss of each step. Nothing here says where the model is: batches are sent to it."""
    device = next(model.parameters()).device
    optimizer = optim.SGD(model.parameters(), lr=lr, momentum=0.9)
    losses = []
    for _ in progress(range(epochs), "epochs"):
        for x, y in loader:
            # From pinned memory a batch travels while the GPU still computes; on a CPU this does nothing.
            x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
            loss = F.cross_entropy(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())  # not item(), for which the program would have to wait for the GPU in each step
    return torch.stack(losses).cpu()


@torch.no_grad()
def accuracy(model, images, labels):
    device = next(model.parameters()).device
    return sum((model(x.to(device)).argmax(dim=1).cpu() == y).sum().item()
               for x, y in zip(images.split(500), labels.split(500))) / len(images)


def speed(model, images, labels, repeats=5):
    """Images in a second, forward and backward, when nothing else held it up: the fastest of several times."""
    seconds = []
    for _ in range(repeats + 1):
        begin = time.perf_counter()
        gradient, *_ = gradients_at_once(model, images, labels)
        gradient.sum().item()  # reading a number waits until the device has done what it was told
        seconds.append(time.perf_counter() - begin)
    return len(images) / min(seconds[1:])  # in the first, memory is found and kernels are compiled


def draw(losses, sizes, speeds):
    figure, (left, right) = plt.subplots(1, 2, figsize=(7, 3.2))
    width = max(1, len(losses) // 75)
    means = losses.unfold(0, width, width).mean(dim=1)
    left.semilogy(torch.arange(len(means)) * width, means)
    left.set(xlabel="step", ylabel="training loss (nats)")
    for name, images in speeds.items():
        right.plot(sizes, images, "o-", label=name)
    right.set(xscale="log", xlabel="images in a batch", ylabel="images per second, there and back", ylim=(0, None))
    right.set_xticks(sizes, map(str, sizes), minor=False)
    right.legend(frameon=False)
    return figure


def main():
    args = options(__doc__, devices="all", epochs=(6, 4), lr=0.03, batch=64, images=(8000, 600), largest=(256, 64))
    torch.manual_seed(args.seed)
    devices = devices_there() if args.devices == "all" else [torch.device(name) for name in args.devices.split(",")]
    print("computing on", ", ".join(map(str, devices)))
    if devices == [torch.device("cpu")]:
        print("there is no GPU: two copies on the CPU stand for two of them, and DataParallel is the model itself")
    images, labels, test_images, test_labels = map(torch.from_numpy, mnist_parts(args, args.images))

    model = network().to(devices[0])
    wrapped = nn.DataParallel(model, devices) if len(devices) > 1 else model
    x, y = images[:args.batch], labels[:args.batch]
    parts = devices if len(devices) > 1 else 2 * devices
    by_hand = gradients_in_parts(model, parts, x, y)
    difference = max((a - b).abs().max().item() for a, b in zip(by_hand, gradients_at_once(wrapped, x, y)))
    print(f"gradients of the parts together and of the batch differ by {difference:.1e} at most")

    loader = DataLoader(TensorDataset(images, labels), batch_size=args.batch, shuffle=True, pin_memory=devices[0].type == "cuda")
    losses = train(wrapped, loader, args.epochs, args.lr)
    share = accuracy(wrapped, test_images, test_labels)

    # The weights are those of the model: DataParallel would name them module.*. On a CPU a file from a GPU needs map_location.
    torch.save(model.state_dict(), args.out / "weights.pt")
    at_home = network()
    at_home.load_state_dict(torch.load(args.out / "weights.pt", map_location="cpu"))
    print(f"with the weights loaded on a CPU {accuracy(at_home, test_images, test_labels):.1%} are read right, "
          f"where they were learnt {share:.1%}")

    sizes = [size for size in (1, 4, 16, 64, 256, 1024) if size <= args.largest]
    models = {str(devices[0]): model, **({f"DataParallel, {len(devices)} devices": wrapped} if wrapped is not model else {})}
    speeds = {name: [speed(each, images[:size], labels[:size]) for size in sizes] for name, each in models.items()}
    draw(losses, sizes, speeds).savefig(args.out / "devices.png")
    report(args, f"Learnt on {', '.join(map(str, devices))}, {share:.1%} of {len(test_images)} held-out digits are read right; "
                 f"the gradients of {len(parts)} parts of a batch together are those of the batch to {difference:.0e}.",
           picture="devices.png", accuracy=share, difference=difference, loss=losses[-10:].mean().item())


if __name__ == "__main__":
    main()
