"""A small GPT of characters: settings as globals that the command line overrides, a memory-mapped file, checkpoints to resume."""

import inspect
import math
import os
import sys
from ast import literal_eval
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn as nn
from torch.distributed import destroy_process_group, init_process_group
from torch.nn import functional as F
from torch.nn.parallel import DistributedDataParallel as DDP
from torch.utils.data.dataloader import DataLoader

data, init_from, max_iters, batch_size, block_size, device, dtype, compile = "", "scratch", 30, 8, 16, "cpu", "float32", True
for argument in sys.argv[1:]:
    key, value = argument[2:].split("=")
    globals()[key] = literal_eval(value) if value[0].isdigit() or value in ("True", "False") else value

ddp = int(os.environ.get("RANK", -1)) != -1
if ddp:
    init_process_group(backend="gloo")
torch.manual_seed(1337)
torch.cuda.manual_seed_all(1337)
torch.backends.cuda.matmul.allow_tf32 = True
torch.backends.cudnn.allow_tf32 = True
ptdtype = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}[dtype]
ctx = nullcontext() if device == "cpu" else torch.amp.autocast(device_type=device, dtype=ptdtype)
text = np.memmap(data, dtype=np.uint16, mode="r")


@dataclass
class Config:
    n_layer: int = 1
    n_head: int = 2
    n_embd: int = 16
    vocab_size: int = 32


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.heads, self.width = config.n_head, config.n_embd
        self.ln = nn.LayerNorm(config.n_embd)
        self.attend, self.project = nn.Linear(config.n_embd, 3 * config.n_embd), nn.Linear(config.n_embd, config.n_embd)
        self.mlp = nn.ModuleDict(dict(wide=nn.Linear(config.n_embd, 64), act=nn.GELU(), c_proj=nn.Linear(64, config.n_embd)))

    def forward(self, x):
        b, t, c = x.size()
        q, k, v = [part.view(b, t, self.heads, c // self.heads).transpose(1, 2)
                   for part in self.attend(self.ln(x)).split(self.width, dim=2)]
        y = F.scaled_dot_product_attention(q, k, v, attn_mask=None, dropout_p=0, is_causal=True)
        x = x + self.project(y.transpose(1, 2).contiguous().view(b, t, c))
        return x + self.mlp.c_proj(self.mlp.act(self.mlp.wide(x)))


class GPT(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.transformer = nn.ModuleDict(dict(
            wte=nn.Embedding(config.vocab_size, config.n_embd), wpe=nn.Embedding(block_size, config.n_embd),
            h=nn.ModuleList([Block(config) for _ in range(config.n_layer)])))
        self.lm_head = nn.Linear(config.n_embd, config.vocab_size, bias=False)
        self.transformer.wte.weight = self.lm_head.weight
        self.apply(self._init_weights)
        for name, p in self.named_parameters():
            if name.endswith("c_proj.weight"):
                torch.nn.init.normal_(p, mean=0.0, std=0.02 / math.sqrt(2 * config.n_layer))

    def _init_weights(self, module):
        if isinstance(module, (nn.Linear, nn.Embedding)):
            torch.nn.init.normal_(module.weight, mean=0.0, std=0.02)
            if getattr(module, "bias", None) is not None:
                torch.nn.init.zeros_(module.bias)

    def forward(self, idx, targets=None):
        x = self.transformer.wte(idx) + self.transformer.wpe(torch.arange(0, idx.size(1), dtype=torch.long, device=idx.device))
        for block in self.transformer.h:
            x = block(x)
        if targets is None:
            return self.lm_head(x[:, [-1], :]), None
        logits = self.lm_head(x)
        return logits, F.cross_entropy(logits.view(-1, logits.size(-1)), targets.view(-1), ignore_index=-1)

    @torch.no_grad()
    def generate(self, idx, steps, top_k):
        for _ in range(steps):
            logits = self(idx[:, -block_size:])[0][:, -1, :]
            v, _ = torch.topk(logits, top_k)
            logits[logits < v[:, [-1]]] = -float("Inf")
            idx = torch.cat((idx, torch.multinomial(F.softmax(logits, dim=-1), num_samples=1)), dim=1)
        return idx


class Pieces(torch.utils.data.Dataset):
    def __len__(self):
        return len(text) - block_size - 1

    def __getitem__(self, k):
        piece = torch.from_numpy(text[k:k + block_size + 1].astype(np.int64))
        return piece[:-1], piece[1:]


model = GPT(Config()).to(device)
decay = [p for p in model.parameters() if p.dim() >= 2]
rest = [p for p in model.parameters() if p.dim() < 2]
fused = dict(fused=True) if "fused" in inspect.signature(torch.optim.AdamW).parameters and device == "cuda" else {}
optimizer = torch.optim.AdamW([{"params": decay, "weight_decay": 0.1}, {"params": rest, "weight_decay": 0.0}], lr=1e-2, **fused)
scaler = torch.amp.GradScaler("cuda", enabled=dtype == "float16")
start = 0
if init_from == "resume":
    checkpoint = torch.load("ckpt.pt", map_location=device)
    state = checkpoint["model"]
    for k in list(state):
        if k.startswith("_orig_mod."):
            state[k[len("_orig_mod."):]] = state.pop(k)
    model.load_state_dict(state)
    optimizer.load_state_dict(checkpoint["optimizer"])
    start = checkpoint["iter_num"]
if compile:
    model = torch.compile(model, backend="eager")
if ddp:
    model = DDP(model)
raw_model = model.module if ddp else model

sampler = torch.utils.data.RandomSampler(Pieces(), replacement=True, num_samples=int(1e10))
batches = iter(DataLoader(Pieces(), sampler=sampler, shuffle=False, batch_size=batch_size, num_workers=0))
found = []
for iter_num in range(start, start + max_iters):
    for group in optimizer.param_groups:
        group["lr"] = 1e-2 * (0.5 + 0.5 * math.cos(math.pi * min(1, iter_num / 100)))
    X, Y = [t.to(device) for t in next(batches)]
    with ctx:
        logits, loss = model(X, Y)
    scaler.scale(loss).backward()
    scaler.unscale_(optimizer)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    found.append(loss.item())
torch.save({"model": raw_model.state_dict(), "optimizer": optimizer.state_dict(), "iter_num": iter_num + 1,
            "best": torch.tensor(found).mean(), "config": {"block_size": block_size}}, "ckpt.pt")
assert raw_model.generate(torch.zeros(1, 1, dtype=torch.long), 20, top_k=5).shape == (1, 21)
if ddp:
    destroy_process_group()
print("first {:.4f} last {:.4f}".format(sum(found[:5]) / 5, sum(found[-5:]) / 5))
