"""A user's program, which type checkers must find nothing wrong with. It runs, too."""

import pathlib
import tempfile

import minigrad as mg
from minigrad import nn
from minigrad.nn import functional as F
from minigrad.optim import SGD, Adam
from minigrad.optim.lr_scheduler import StepLR
from minigrad.utils.data import DataLoader, Dataset, random_split


class Squares(Dataset[tuple[mg.Tensor, mg.Tensor]]):
    """Numbers and their squares."""

    def __init__(self, count: int) -> None:
        self.x = mg.linspace(-1, 1, count).unsqueeze(1)

    def __getitem__(self, index: int) -> tuple[mg.Tensor, mg.Tensor]:
        return self.x[index], self.x[index] ** 2

    def __len__(self) -> int:
        return len(self.x)


class Net(nn.Module):
    """Two layers, with a scale that is learnt."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(1, width)
        self.norm = nn.LayerNorm(width)
        self.out = nn.Sequential(nn.Tanh(), nn.Dropout(0.0), nn.Linear(width, 1))
        self.scale = nn.Parameter(mg.ones(1))

    def forward(self, x: mg.Tensor) -> mg.Tensor:
        hidden = self.norm(self.hidden(x))
        return self.out(hidden) * self.scale


class Double(mg.autograd.Function):
    """Twice its input."""

    @staticmethod
    def forward(ctx: mg.autograd.function.FunctionCtx, x: mg.Tensor) -> mg.Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: mg.autograd.function.FunctionCtx, grad: mg.Tensor) -> mg.Tensor:
        return grad * 2


def compute() -> float:
    """Creation, arithmetic, indexing, reductions, linear algebra, gradients."""
    x = mg.randn(3, 4, dtype=mg.float64, requires_grad=True)
    y = (2 - x).clamp(min=0.0).pow(2) / (x.abs() + 1) @ mg.eye(4, dtype=mg.float64)
    y = mg.cat([y[:2], y[1:, :]], dim=0) + y[..., None].squeeze(-1)[[0, 0, 1, 1]] * mg.tensor([1.0, 0.0, 1.0, 0.0])
    values, indices = y.detach().max(dim=1)
    top = y.detach().topk(2).values
    mask = (y > 0) & ~(y == 1)
    total = y.sum() + y.mean(dim=(0, 1), keepdim=True).reshape(()) + values.sum() + top.sum() + indices.float().mean()
    (gradient,) = mg.autograd.grad(total, [x], create_graph=True)
    gradient.norm().backward()
    square = x.detach().T @ x.detach() + mg.eye(4, dtype=mg.float64)
    solution = mg.linalg.solve(square, mg.ones(4, dtype=mg.float64))
    sign, logarithm = mg.linalg.slogdet(square)
    spectrum = mg.fft.rfft(solution).abs() + mg.special.expit(solution[:3])
    filled = mg.where(mask, y.detach(), 0.0).masked_fill(mask, 1.5)
    filled[0, 0] = 2
    filled += 1
    counts = mg.unique(indices, return_counts=True)[1]
    doubled: mg.Tensor = Double.apply(spectrum)
    with mg.no_grad():
        result = doubled.sum() + sign * logarithm + filled.to("cpu", mg.float64).mean() + counts.sum() + x.size(0) + x.shape[1]
    return float(result) + float(x.grad.sum() if x.grad is not None else 0.0)


def train(epochs: int = 2) -> list[float]:
    """A model, its optimizer and schedule, data in batches, saving and loading."""
    mg.manual_seed(0)
    training, validation = random_split(Squares(40), [0.8, 0.2])
    loader = DataLoader(training, batch_size=8, shuffle=True)
    model = Net(16)
    optimizer = Adam(model.parameters(), lr=1e-2)
    plain = SGD([{"params": model.hidden.parameters()}, {"params": [model.scale], "lr": 1e-3}], lr=0.1, momentum=0.9)
    scheduler = StepLR(optimizer, step_size=1, gamma=0.5)
    losses: list[float] = []
    for _ in range(epochs):
        model.train()
        for x, target in loader:
            loss = F.mse_loss(model(x), target)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            plain.step()
            losses.append(loss.item())
        scheduler.step()
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "model.pt"
        mg.save(model.state_dict(), path)
        model.load_state_dict(mg.load(path))
    model.eval()
    held_out = [validation[k] for k in range(len(validation))]
    rate: float = scheduler.get_last_lr()[0]
    weight: nn.Parameter = model.hidden.weight
    count = sum(p.numel() for p in model.parameters() if p.requires_grad)
    with mg.no_grad():
        errors = mg.stack([F.l1_loss(model(x), y) for x, y in held_out])
    return [*losses, errors.mean().item(), rate, weight.std().item(), float(count)]


if __name__ == "__main__":
    print(compute(), train())
