"""Programs that use packages written for PyTorch: ``python -m tests.package_programs LIBRARY NAME FILE``.

Each runs unmodified on either library, PyTorch or, under :func:`minigrad.as_torch`, minigrad, and gives named arrays, which are
written to FILE for ``tests/test_packages.py`` to compare. Numbers come from NumPy's generator, because the libraries' own differ.
"""

from __future__ import annotations

import contextlib
import importlib
import re
import sys
import tempfile
import types
import warnings
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any, Callable, Iterator

import numpy as np

Results = dict[str, Any]
PROGRAMS: dict[str, Callable[[Any], Results]] = {}


def program(function: Callable[[Any], Results]) -> Callable[[Any], Results]:
    PROGRAMS[function.__name__] = function
    return function


# ---------------------------------------------------------------------------------------------------- what programs share

def numbers(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def fill(torch: Any, model: Any, scale: float = 0.2) -> Any:
    """`model` with parameters that depend on their names' order and shapes alone."""
    with torch.no_grad():
        for k, (_, p) in enumerate(model.named_parameters()):
            p.copy_(torch.from_numpy(scale * numbers(k, *p.shape)))
    return model


def gradients(model: Any, **more: Any) -> Results:
    """The gradients of parameters, and of the tensors in `more`, by name."""
    named = {**dict(model.named_parameters()), **more}
    return {f"grad of {name}": p.grad for name, p in named.items() if p.grad is not None}


def fit(torch: Any, model: Any, optimizer: Any, steps: int = 5) -> Results:
    """What a small regression makes of `model` after some steps."""
    x, y = (torch.from_numpy(numbers(seed, 16, n)) for seed, n in ((1, 4), (2, 2)))
    losses: list[float] = []
    for _ in range(steps):
        def closure() -> Any:
            optimizer.zero_grad()
            loss = ((model(x) - y) ** 2).mean()
            loss.backward(create_graph=type(optimizer).__name__ == "Adahessian")
            losses.append(loss.item())
            return loss
        optimizer.step(closure)
    return {"losses": np.array(losses), **dict(model.named_parameters())}


def small_model(torch: Any) -> Any:
    return fill(torch, torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2)), 0.5)


# ---------------------------------------------------------------------------------------------------- the programs

@program
def einops(torch: Any) -> Results:
    from einops import einsum, pack, rearrange, reduce, repeat, unpack
    from einops.layers.torch import EinMix, Rearrange, Reduce

    x = torch.from_numpy(numbers(0, 2, 3, 4, 6)).requires_grad_()
    packed, shapes = pack([x[0], x[1]], "* h w")
    results = {"rearrange": rearrange(x, "b c (h p) (w q) -> b (h w) (p q c)", p=2, q=3),
               "reduce": reduce(x, "b c h w -> b c", "mean"), "max": reduce(x, "b c (h p) w -> b h w", "max", p=2),
               "repeat": repeat(x, "b c h w -> b (c 2) h w"), "unpack": unpack(packed, shapes, "* h w")[1],
               "einsum": einsum(x, x, "b c h w, b c h v -> b w v")}
    layers = fill(torch, torch.nn.Sequential(Rearrange("b c h w -> b h (w c)"), EinMix(
        "b h d -> b h e", weight_shape="d e", bias_shape="e", d=18, e=5), Reduce("b h e -> b e", "sum")))
    results["layers"] = layers(x)
    sum([(value * value).sum() for value in results.values()]).backward()
    return {**results, **gradients(layers, x=x)}


@program
def x_transformers(torch: Any) -> Results:
    import x_transformers as x

    results = {}
    tokens = torch.from_numpy(np.random.default_rng(0).integers(0, 32, (2, 12)))
    settings = {"rotary": {"rotary_pos_emb": True, "ff_glu": True, "use_rmsnorm": True},
                "alibi": {"alibi_pos_bias": True, "alibi_num_heads": 2},
                "flash": {"attn_flash": True, "attn_kv_heads": 1, "attn_qk_norm": True},
                "rel_pos": {"rel_pos_bias": True, "residual_attn": True, "ff_swish": True}}
    for name, more in settings.items():
        model = fill(torch, x.AutoregressiveWrapper(x.TransformerWrapper(
            num_tokens=32, max_seq_len=16, attn_layers=x.Decoder(dim=16, depth=2, heads=2, attn_dim_head=8, **more))))
        loss = model(tokens)
        loss.backward()
        results |= {f"{name}: loss": loss, **{f"{name}: {key}": g for key, g in gradients(model).items()}}
    model.eval()
    results["generated"] = model.generate(tokens[:, :4], 6, temperature=0.0)
    encoder = fill(torch, x.ContinuousTransformerWrapper(dim_in=5, dim_out=3, max_seq_len=8, attn_layers=x.Encoder(
        dim=16, depth=1, heads=2, attn_dim_head=8)))
    mask = torch.from_numpy(np.arange(8) < np.array([[5], [8]]))
    results["encoded"] = encoder(torch.from_numpy(numbers(1, 2, 8, 5)), mask=mask)
    both = fill(torch, x.XTransformer(dim=16, enc_num_tokens=32, enc_depth=1, enc_heads=2, enc_max_seq_len=12, dec_num_tokens=32,
                                    dec_depth=1, dec_heads=2, dec_max_seq_len=12))
    results["sequence to sequence"] = both(tokens, tokens)
    return results


@program
def ema_pytorch(torch: Any) -> Results:
    from ema_pytorch import EMA

    model = small_model(torch)
    ema = EMA(model, beta=0.9, update_after_step=1, update_every=1)
    results = fit(torch, model, torch.optim.SGD(model.parameters(), lr=0.1), 1)
    for k in range(6):
        with torch.no_grad():
            for p in model.parameters():
                p.add_(torch.from_numpy(numbers(k, *p.shape)), alpha=0.1)
        ema.update()
    return {**results, "mean": ema(torch.from_numpy(numbers(3, 5, 4))), **{f"ema {n}": p for n, p in ema.state_dict().items()}}


@program
def torchdiffeq(torch: Any) -> Results:
    from torchdiffeq import odeint, odeint_adjoint, odeint_event

    class Field(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.net = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))

        def forward(self, t: Any, y: Any) -> Any:
            return self.net(y) * torch.cos(t)

    results = {}
    for name, integrate in (("odeint", odeint), ("adjoint", odeint_adjoint)):
        for method in ("dopri5", "rk4", "euler", "explicit_adams"):
            field = fill(torch, Field(), 0.5)
            y0 = torch.from_numpy(numbers(3, 3, 2)).requires_grad_()
            t = torch.linspace(0.0, 1.0, 5, requires_grad=True)
            options = {"rtol": 1e-5, "atol": 1e-6} if method == "dopri5" else {}
            path = integrate(field, y0, t, method=method, **options)
            (path**2).sum().backward()
            found = {"path": path, **gradients(field, y0=y0, t=t)}
            results |= {f"{name} {method}: {key}": value for key, value in found.items()}
    when, state = odeint_event(lambda t, y: torch.stack([y[1], -9.8 * torch.ones(())]), torch.tensor([1.0, 0.0]),
                               torch.tensor(0.0), event_fn=lambda t, y: y[0], method="dopri5")
    return {**results, "event time": when, "event state": state}


@program
def vit_pytorch(torch: Any) -> Results:
    from vit_pytorch import SimpleViT, ViT
    from vit_pytorch.cait import CaiT
    from vit_pytorch.cct import CCT
    from vit_pytorch.cvt import CvT
    from vit_pytorch.deepvit import DeepViT

    images = torch.from_numpy(numbers(0, 2, 3, 16, 16))
    usual = {"image_size": 16, "patch_size": 4, "num_classes": 5, "dim": 16, "depth": 2, "heads": 2, "mlp_dim": 24}
    models = {"ViT": ViT(**usual, dim_head=8), "SimpleViT": SimpleViT(**usual, dim_head=8), "DeepViT": DeepViT(**usual),
              "CaiT": CaiT(**usual, cls_depth=1),
              "CCT": CCT(img_size=16, embedding_dim=16, num_layers=1, num_heads=2, mlp_ratio=1, num_classes=5, n_conv_layers=1),
              "CvT": CvT(num_classes=5, s1_emb_dim=8, s1_depth=1, s2_emb_dim=8, s2_depth=1, s2_heads=1, s3_emb_dim=8, s3_depth=1,
                         s3_heads=1)}
    results = {}
    for name, model in models.items():
        fill(torch, model).eval()
        out = model(images)
        torch.nn.functional.cross_entropy(out, torch.tensor([1, 3])).backward()
        results |= {name: out, **{f"{name}: {key}": g for key, g in gradients(model).items()}}
    return results


@program
def entmax(torch: Any) -> Results:
    from entmax import EntmaxBisectLoss, SparsemaxLoss, entmax15, entmax_bisect, normmax_bisect, sparsemax

    results = {}
    scores = torch.from_numpy(numbers(0, 4, 6)).requires_grad_()
    alpha = torch.tensor(1.4, requires_grad=True)
    functions = {"sparsemax": sparsemax, "entmax15": entmax15, "bisect": lambda x: entmax_bisect(x, alpha),
                 "normmax": lambda x: normmax_bisect(x, alpha=2)}
    for name, function in functions.items():
        results[name] = function(scores)
        (results[name] ** 2).sum().backward()
    labels = torch.tensor([0, 3, 5, 2])
    for loss in (SparsemaxLoss(), EntmaxBisectLoss(alpha=1.5)):
        results[type(loss).__name__] = loss(scores, labels)
        results[type(loss).__name__].backward()
    return {**results, "grad": scores.grad, "grad of alpha": alpha.grad}


@program
def torch_optimizer(torch: Any) -> Results:
    import torch_optimizer as others

    results = {}
    names = ["A2GradExp", "A2GradInc", "A2GradUni", "AccSGD", "AdaBelief", "AdaBound", "AdaMod", "Adafactor", "Adahessian",
             "AdamP", "AggMo", "Apollo", "DiffGrad", "LARS", "Lamb", "MADGRAD", "NovoGrad", "PID", "QHAdam", "QHM",
             "RAdam", "Ranger", "RangerQH", "RangerVA", "SGDP", "SGDW", "SWATS", "Shampoo", "Yogi"]
    settings: dict[str, Any] = {"Adahessian": {"seed": 0}, "Shampoo": {"epsilon": 0.1}, "QHM": {"momentum": 0.9}}
    for name in names:
        model = small_model(torch)
        optimizer = getattr(others, name)(model.parameters(), **{"lr": 1e-2, **settings.get(name, {})})
        found = fit(torch, model, optimizer)
        if name != "Adahessian":  # which draws random signs
            results |= {f"{name}: {key}": value for key, value in found.items()}
        assert np.isfinite(found["losses"]).all()
    model = small_model(torch)
    lookahead = others.Lookahead(others.Yogi(model.parameters(), lr=1e-2), k=2)
    return results | {f"Lookahead: {key}": value for key, value in fit(torch, model, lookahead).items()}


@program
def torchmetrics(torch: Any) -> Results:
    import torchmetrics
    from torchmetrics import classification, functional, regression

    rng = np.random.default_rng(0)
    scores, labels = torch.from_numpy(numbers(0, 40, 4)).softmax(-1), torch.from_numpy(rng.integers(0, 4, 40))
    yes, truth = torch.from_numpy(rng.random(40).astype(np.float32)), torch.from_numpy(rng.integers(0, 2, 40))
    x, y = torch.from_numpy(numbers(1, 40)), torch.from_numpy(numbers(2, 40))
    results = {}

    def measure(name: str, metric: Any, *batch: Any) -> None:
        """In three updates, as in a loop over batches."""
        for part in zip(*[torch.chunk(t, 3) for t in batch]):
            metric.update(*part)
        found = metric.compute()
        for k, value in enumerate(found if isinstance(found, (tuple, list)) else [found]):
            results[f"{name} {k}"] = value
        metric.reset()

    for name in ("Accuracy", "Precision", "Recall", "F1Score", "ConfusionMatrix", "AUROC", "AveragePrecision", "CohenKappa",
                 "MatthewsCorrCoef", "CalibrationError", "HingeLoss", "JaccardIndex", "Specificity", "StatScores"):
        measure(f"multiclass {name}", getattr(classification, f"Multiclass{name}")(num_classes=4), scores, labels)
        measure(f"binary {name}", getattr(classification, f"Binary{name}")(), yes, truth)
    measure("ROC", classification.BinaryROC(), yes, truth)
    measure("curve", classification.BinaryPrecisionRecallCurve(thresholds=5), yes, truth)
    for name in ("MeanSquaredError", "MeanAbsoluteError", "R2Score", "PearsonCorrCoef", "SpearmanCorrCoef", "KendallRankCorrCoef",
                 "ExplainedVariance", "ConcordanceCorrCoef", "MeanAbsolutePercentageError", "LogCoshError"):
        measure(name, getattr(regression, name)(), x, y)
    for name in ("MeanMetric", "SumMetric", "MaxMetric", "MinMetric", "CatMetric"):
        measure(name, getattr(torchmetrics, name)(), x)
    both = torchmetrics.MetricCollection([classification.MulticlassAccuracy(4), classification.MulticlassPrecision(4)])
    results |= both(scores, labels)
    images = [torch.from_numpy(rng.random((2, 3, 32, 32)).astype(np.float32)) for _ in range(2)]
    results["ssim"] = functional.image.structural_similarity_index_measure(*images)
    results["psnr"] = functional.image.peak_signal_noise_ratio(*images, data_range=1.0)
    results["cosines"] = functional.pairwise_cosine_similarity(images[0][0, 0], images[1][0, 0])
    results["edit distance"] = functional.text.word_error_rate(["a b c d"], ["a c c"])
    results["si-sdr"] = functional.audio.scale_invariant_signal_distortion_ratio(x, y)
    retrieval = torchmetrics.retrieval.RetrievalMAP()
    results["MAP"] = retrieval(yes, truth, indexes=torch.from_numpy(np.arange(40) % 5))
    tracker = torchmetrics.wrappers.MetricTracker(regression.MeanSquaredError())
    for shift in (0.0, 1.0):
        tracker.increment()
        tracker.update(x, y + shift)
    results["tracked"] = tracker.compute_all()
    return results


@program
def skorch(torch: Any) -> Results:
    from sklearn.model_selection import GridSearchCV
    from sklearn.pipeline import Pipeline
    from sklearn.preprocessing import StandardScaler
    from skorch import NeuralNetClassifier, NeuralNetRegressor
    from skorch.callbacks import Checkpoint, EarlyStopping, EpochScoring, GradientNormClipping, LRScheduler
    from skorch.dataset import ValidSplit
    from skorch.helper import predefined_split

    class Net(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self, width: int = 8, outputs: int = 3) -> None:
            super().__init__()
            self.layers = fill(torch, torch.nn.Sequential(
                torch.nn.Linear(4, width), torch.nn.ReLU(), torch.nn.Linear(width, outputs)))
            self.outputs = outputs

        def forward(self, X: Any) -> Any:
            return torch.softmax(self.layers(X), dim=-1) if self.outputs > 1 else self.layers(X)

    X, y = numbers(0, 60, 4), np.random.default_rng(1).integers(0, 3, 60)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        net = NeuralNetClassifier(Net, max_epochs=4, lr=0.1, verbose=0, train_split=ValidSplit(3), callbacks=[
            EpochScoring("accuracy", name="score"), EarlyStopping(patience=3), GradientNormClipping(1.0),
            LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=2), Checkpoint(dirname=folder)])
        net.fit(X, y)
        results |= {"losses": np.array(net.history[:, "train_loss"]), "validation": np.array(net.history[:, "valid_loss"]),
                    "score": np.array(net.history[:, "score"]), "probabilities": net.predict_proba(X)}
        net.save_params(f_params=f"{folder}/net.pt", f_optimizer=f"{folder}/optimizer.pt")
        again = NeuralNetClassifier(Net).initialize()
        again.load_params(f_params=f"{folder}/net.pt")
        results["loaded"] = again.predict_proba(X)
    net.partial_fit(X, y)
    results["partial"] = net.predict(X)
    regressor = NeuralNetRegressor(Net, module__outputs=1, max_epochs=3, lr=0.05, verbose=0, optimizer=torch.optim.Adam,
                                   train_split=predefined_split(torch.utils.data.TensorDataset(
                                       torch.from_numpy(X), torch.from_numpy(X[:, :1]))))
    results["regression"] = regressor.fit(X, X[:, :1]).predict(X)
    pipeline = Pipeline([("scale", StandardScaler()),
                         ("net", NeuralNetClassifier(Net, max_epochs=2, verbose=0, train_split=None))])
    search = GridSearchCV(pipeline, {"net__lr": [0.01, 0.1], "net__module__width": [4, 8]}, cv=2, scoring="accuracy", refit=False)
    results["grid"] = search.fit(X.astype(np.float32), y).cv_results_["mean_test_score"]
    return results


@program
def lightning_utilities(torch: Any) -> Results:
    """A loop as Lightning's: a module that says what a step is and what moves it, and a trainer that knows the rest."""
    import io

    from lightning_utilities.core.apply_func import apply_to_collection
    from torchmetrics import MeanMetric
    from torchmetrics.regression import MeanSquaredError

    class Module(torch.nn.Module):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.net, self.error, self.logged = small_model(torch), MeanSquaredError(), {}

        def log(self, name: str, value: Any) -> None:
            self.logged.setdefault(name, []).append(float(value))

        def training_step(self, batch: Any, batch_idx: int) -> Any:
            loss = torch.nn.functional.mse_loss(self.net(batch["x"]), batch["y"])
            self.log("train_loss", loss)
            return loss

        def validation_step(self, batch: Any, batch_idx: int) -> None:
            self.error.update(self.net(batch["x"]), batch["y"])

        def configure_optimizers(self) -> dict[str, Any]:
            optimizer = torch.optim.AdamW(self.parameters(), lr=0.05)
            return {"optimizer": optimizer, "lr_scheduler": torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=12)}

    class Trainer:
        def __init__(self, max_epochs: int, gradient_clip_val: float, accumulate_grad_batches: int) -> None:
            self.max_epochs, self.clip, self.accumulate = max_epochs, gradient_clip_val, accumulate_grad_batches
            self.checkpoint, self.norms = io.BytesIO(), MeanMetric()

        def place(self, batch: Any) -> Any:
            return apply_to_collection(batch, torch.Tensor, lambda t: t.to(torch.device("cpu"), non_blocking=True))

        def fit(self, module: Any, loader: Any, validation: Any) -> None:
            configured = module.configure_optimizers()
            optimizer, scheduler = configured["optimizer"], configured["lr_scheduler"]
            averaged = torch.optim.swa_utils.AveragedModel(module.net)
            for _ in range(self.max_epochs):
                module.train()
                for k, batch in enumerate(map(self.place, loader)):
                    def closure(batch: Any = batch, k: int = k) -> Any:
                        with torch.autocast("cpu", enabled=False):
                            loss = module.training_step(batch, k) / self.accumulate
                        loss.backward()
                        return loss
                    if (k + 1) % self.accumulate:
                        closure()
                        continue
                    self.norms.update(optimizer.step(closure).detach())
                    torch.nn.utils.clip_grad_norm_(module.parameters(), self.clip)
                    optimizer.zero_grad(set_to_none=True)
                    scheduler.step()
                    averaged.update_parameters(module.net)
                module.eval()
                with torch.inference_mode():
                    for k, batch in enumerate(validation):
                        module.validation_step(self.place(batch), k)
                module.log("val_error", module.error.compute())
                module.error.reset()
            torch.save({"state_dict": module.state_dict(), "optimizer": optimizer.state_dict(), "averaged": averaged.state_dict(),
                        "scheduler": scheduler.state_dict(), "norm": self.norms.compute()}, self.checkpoint)

    class Pairs(torch.utils.data.Dataset):  # type: ignore[name-defined,misc]
        def __init__(self, seed: int) -> None:
            self.x, self.y = torch.from_numpy(numbers(seed, 32, 4)), torch.from_numpy(numbers(seed + 1, 32, 2))

        def __len__(self) -> int:
            return 32

        def __getitem__(self, k: int) -> Any:
            return {"x": self.x[k], "y": self.y[k], "name": f"row {k}"}

    module, trainer = Module(), Trainer(max_epochs=3, gradient_clip_val=0.5, accumulate_grad_batches=2)
    loaders = [torch.utils.data.DataLoader(Pairs(seed), batch_size=4, shuffle=False) for seed in (1, 5)]
    trainer.fit(module, *loaders)
    trainer.checkpoint.seek(0)
    saved = torch.load(trainer.checkpoint)
    again = Module()
    again.load_state_dict(saved["state_dict"])
    return {**{name: np.array(values) for name, values in module.logged.items()}, "norm": saved["norm"],
            "predicted": again.net(loaders[0].dataset.x), "rate": np.array(saved["scheduler"]["_last_lr"]),
            **{f"averaged {name}": t for name, t in saved["averaged"].items()}}


@program
def torchinfo(torch: Any) -> Results:
    import torchinfo

    found = torchinfo.summary(small_model(torch), (5, 4), verbose=0)
    return {"total": [found.total_params, found.trainable_params, found.total_mult_adds, found.total_output_bytes],
            "outputs": [row.output_size for row in found.summary_list[1:]],
            "text": [len(line) for line in str(found).split("\n")]}


@program
def torchview(torch: Any) -> Results:
    import torchview

    graph = torchview.draw_graph(small_model(torch), input_size=(5, 4), device="cpu", expand_nested=True)
    return {"edges": [len(graph.edge_list)], "lines": [len(graph.visual_graph.body)],
            "shapes": [node.output_shape[0] for _, node in graph.edge_list if hasattr(node, "output_shape")]}


@program
def torchviz(torch: Any) -> Results:
    """Operations have other names in some graphs; the leaves are the same."""
    import torchviz

    model = small_model(torch)
    loss = torch.tanh(model(torch.from_numpy(numbers(1, 5, 4)))).exp().mean()
    text = torchviz.make_dot(loss, params=dict(model.named_parameters()), show_attrs=True, show_saved=True).source
    assert all(name in text for name in ("TanhBackward0", "ExpBackward0", "MeanBackward0", "AccumulateGrad", "[saved tensor]"))
    return {name: [int(n) for n in re.findall(r"\d+", text.partition(f"{name}\n (")[2].partition(")")[0])]
            for name, _ in model.named_parameters()}


# ---------------------------------------------------------------------------------------------------- running one

class Unused(types.ModuleType):
    """A module of which only the names are asked for."""

    __path__: list[str] = []
    __spec__ = ModuleSpec("torchvision", None)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Unused


@contextlib.contextmanager
def library(name: str) -> Iterator[Any]:
    """PyTorch, or minigrad under its name."""
    # torchvision is compiled against one build of PyTorch. Packages that name it beside their own work are given the names.
    vision = {name: Unused(name) for name in ("torchvision", "torchvision.models", "torchvision.transforms")}
    vision["torchvision"].__dict__.update(models=vision["torchvision.models"], transforms=vision["torchvision.transforms"])
    if name == "torch":  # minigrad's name for torchvision is its own
        sys.modules.update(vision)
    with contextlib.nullcontext() if name == "torch" else importlib.import_module("minigrad").as_torch():
        yield importlib.import_module("torch")


def as_array(value: Any) -> Any:
    return np.asarray(value.detach().cpu().numpy() if hasattr(value, "detach") else value)


def main(which: str, name: str, file: str) -> None:
    warnings.simplefilter("ignore")  # what packages say of themselves is not what is compared
    with library(which) as torch:
        assert torch.Tensor.__module__ == ("torch" if which == "torch" else "minigrad")
        torch.manual_seed(0)
        results = PROGRAMS[name](torch)
    foreign = [m.__file__ for m in sys.modules.values() if "/site-packages/torch/" in str(getattr(m, "__file__", ""))]
    assert which == "torch" or not foreign, f"PyTorch itself was imported: {foreign[0]}"
    np.savez(Path(file), **{key: as_array(value) for key, value in results.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
