"""Trains the model beside it: python train.py, or torchrun --nproc-per-node 8 train.py --bf16 --compile.

Written by `COMMAND`. Windows, their order, the learning rate, the optimizer and the
initial weights are those of `chimera train`. A run that was stopped goes on from its last checkpoint.
"""

import argparse
import json
import math
import mmap
import os
import platform
import shutil
import time
from functools import partial
from pathlib import Path

import torch
import torch.distributed as dist
import torch.distributed.checkpoint as dcp
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_state_dict,
    set_model_state_dict,
    set_state_dict,
)
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.utils.checkpoint import checkpoint

from model import Model

HERE = Path(__file__).resolve().parent
DATA = HERE
TYPES = {"F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
MASK = (1 << 64) - 1


# SETTINGS


# OPTIMIZERS


def learning_rate(step):
    """The rate of a step, from 1: up to the peak over the warm-up, then along the schedule."""
    if step <= WARMUP:
        return PEAK * step / (WARMUP + 1)
    t = (step - 1 - WARMUP) / max(1, STEPS - WARMUP)
    return PEAK * (SCHEDULE)


def device_name(device):
    """What computes, as its maker calls it."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    info = Path("/proc/cpuinfo")
    for line in info.read_text().splitlines() if info.exists() else []:
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


class Random:
    """Numbers by position, of SplitMix64: the n-th is the same however one comes to it."""

    def __init__(self, seed, stream):
        self.key = self.mix(
            self.mix(seed + 0x9E3779B97F4A7C15) ^ (stream * 0xBF58476D1CE4E5B9)
        )

    def __getitem__(self, index):
        return self.mix(self.key + (index + 1) * 0x9E3779B97F4A7C15)

    def below(self, count, index):
        return self[index] * max(1, count) >> 64

    @staticmethod
    def mix(z):
        z &= MASK
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & MASK
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & MASK
        return z ^ (z >> 31)


class Tokens:
    """The tokens of a file, and the order in which its windows are trained on."""

    def __init__(self, name):
        data = (DATA / name).open("rb")
        data = mmap.mmap(data.fileno(), 0, access=mmap.ACCESS_COPY)
        magic, _, self.count = torch.frombuffer(
            data, dtype=torch.int32, count=3
        ).tolist()
        kind = torch.uint16 if magic == 20240520 else torch.int32
        self.tokens = torch.frombuffer(data, dtype=kind, offset=1024, count=self.count)
        self.windows = max(1, (self.count - 1) // CONTEXT - 1)

    def window(self, start):
        return self.tokens[start : start + CONTEXT + 1].long()

    def start(self, index):
        """Where window `index` of the run begins: every epoch each window once, from an offset of its own."""
        epoch, position = divmod(index, self.windows)
        random = Random(SEED, epoch * 2 + 1)
        room = min(CONTEXT - 1, self.count - 1 - self.windows * CONTEXT)
        return random.below(room + 1, 0) + self.permuted(position, random) * CONTEXT

    def permuted(self, value, random):
        """A permutation by a Feistel network, walked until it falls among the windows."""
        half = 1
        while 1 << 2 * half < self.windows:
            half += 1
        mask = (1 << half) - 1
        while True:
            left, right = value >> half, value & mask
            for turn in range(1, 5):
                left, right = right, left ^ (random[turn << 40 | right] & mask)
            value = left << half | right
            if value < self.windows:
                return value

    def spread(self):
        """Where the windows of a validation begin."""
        windows = (self.count - 1) // CONTEXT
        wanted = min(windows, VALIDATION_BATCHES * BATCH or windows)
        return [i * windows // wanted * CONTEXT for i in range(wanted)]


def read(path):
    """The tensors of a safetensors file, which stays where it is."""
    with open(path, "rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    header.pop("__metadata__", None)
    tensors = {}
    for name, entry in header.items():
        kind, (begin, _) = TYPES[entry["dtype"]], entry["data_offsets"]
        count = math.prod(entry["shape"])
        rows = torch.frombuffer(data, dtype=kind, offset=start + begin, count=count)
        tensors[name] = rows.view(entry["shape"]).float()
    return tensors


def write(tensors, path):
    """Writes a safetensors file, whole or not at all."""
    header, offset = {}, 0
    for name, tensor in tensors.items():
        size = tensor.numel() * 4
        header[name] = {
            "dtype": "F32",
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    unfinished = path.with_suffix(".tmp")
    with open(unfinished, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for tensor in tensors.values():
            file.write(tensor.float().contiguous().numpy().tobytes())
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


class Run:
    """A model in training, in a folder from which it goes on."""

    def __init__(self, options):
        self.options, self.out = options, Path(options.out)
        self.rank, self.world = (
            int(os.environ.get("RANK", "0")),
            int(os.environ.get("WORLD_SIZE", "1")),
        )
        local = int(os.environ.get("LOCAL_RANK", "0"))
        is_cuda = torch.cuda.is_available() and options.device != "cpu"
        self.device = torch.device("cuda", local) if is_cuda else torch.device("cpu")
        if is_cuda:
            torch.cuda.set_device(self.device)
        if "RANK" in os.environ:
            dist.init_process_group("nccl" if is_cuda else "gloo")
        if BATCH % self.world:
            raise SystemExit(
                f"a batch of {BATCH} sequences does not divide among {self.world} processes"
            )
        self.training, self.validation = Tokens("training.bin"), None
        if (DATA / "validation.bin").exists():
            self.validation = Tokens("validation.bin")
        self.model = self.build()
        self.optimizers = optimizers(dict(self.model.named_parameters()))
        self.step = 0
        self.restore()
        if self.rank == 0:
            self.out.mkdir(parents=True, exist_ok=True)
            for path in HERE.iterdir():
                # The spec and the tokenizer, so that the run's folder is a model by itself.
                own = path.suffix in {".py", ".md", ".safetensors"} or path.stem in {"training", "validation"}
                if path.is_file() and not own:
                    shutil.copy(path, self.out / path.name)
            self.metrics = self.kept_metrics()
            self.describe()

    def build(self):
        options = self.options
        with torch.device("meta"):
            model = Model()
        for layer in model.layers:
            if options.checkpoint:
                layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
            if options.compile:
                layer.compile()
        if self.world > 1:
            mesh = init_device_mesh(self.device.type, (self.world,))
            policy = MixedPrecisionPolicy()
            if options.bf16:
                policy = MixedPrecisionPolicy(
                    param_dtype=torch.bfloat16, reduce_dtype=torch.float32
                )
            for layer in model.layers:
                fully_shard(layer, mesh=mesh, mp_policy=policy)
            fully_shard(model, mesh=mesh, mp_policy=policy)
        model.to_empty(device=self.device)
        full = StateDictOptions(full_state_dict=True)
        set_model_state_dict(model, read(HERE / "model.safetensors"), options=full)
        return model

    def kept_metrics(self):
        """The file of numbers, of which only what belongs to the steps done is kept."""
        path = self.out / "metrics.jsonl"
        lines = []
        for line in path.read_text().splitlines() if path.exists() else []:
            try:
                if json.loads(line)["step"] > self.step:
                    break
            except (ValueError, KeyError):
                break
            lines.append(line + "\n")
        path.write_text("".join(lines))
        return path.open("a")

    def describe(self, **facts):
        """Notes what trains here and where, and what became of it."""
        path, where = self.out / "run.json", device_name(self.device)
        where += f", {self.world} process" + ("es" if self.world > 1 else "")
        known = json.loads(path.read_text()) if self.step and path.exists() else {}
        devices = known.get("devices", [])
        numbers = {
            "engine": f"torch {torch.__version__.split('+')[0]}",
            "devices": devices + ([] if where in devices else [where]),
            "precision": "bf16" if self.options.bf16 else "f32",
            "compiled": self.options.compile,
            **facts,
        }
        unfinished = path.with_suffix(".tmp")
        unfinished.write_text(json.dumps(numbers, indent=2) + "\n")
        unfinished.replace(path)

    def require_number(self, *values):
        """Ends the run where one of `values` is no number, which it notes."""
        if all(map(math.isfinite, values)):
            return
        if self.rank == 0:
            self.describe(diverged_after_steps=self.step)
        raise SystemExit(f"after step {self.step} the loss is not finite")

    def checkpoints(self):
        return sorted(self.out.glob("checkpoints/step-????????"))

    def restore(self):
        found = self.checkpoints()
        if not found:
            return
        model, optimizer = get_state_dict(self.model, self.optimizers)
        state = {
            "model": model,
            "optimizer": optimizer,
            "step": torch.zeros(1, dtype=torch.long),
        }
        dcp.load(state, checkpoint_id=str(found[-1]), no_dist=self.world == 1)
        set_state_dict(
            self.model,
            self.optimizers,
            model_state_dict=state["model"],
            optim_state_dict=state["optimizer"],
        )
        self.step = int(state["step"])
        self.tell(f"resuming after step {self.step}")

    def save(self):
        path = self.out / "checkpoints" / f"step-{self.step:08}"
        unfinished = path.with_suffix(".tmp")
        model, optimizer = get_state_dict(self.model, self.optimizers)
        state = {
            "model": model,
            "optimizer": optimizer,
            "step": torch.tensor([self.step]),
        }
        dcp.save(state, checkpoint_id=str(unfinished), no_dist=self.world == 1)
        full = StateDictOptions(full_state_dict=True, cpu_offload=True)
        tensors = get_model_state_dict(self.model, options=full)
        if self.rank == 0:
            unfinished.replace(path)
            write(tensors, self.out / "model.safetensors")
            for old in self.checkpoints()[:-KEEP]:
                shutil.rmtree(old)
        if self.world > 1:
            dist.barrier()

    def tell(self, line):
        if self.rank == 0:
            print(line, flush=True)

    def note(self, **numbers):
        if self.rank == 0:
            self.metrics.write(json.dumps(numbers, separators=(",", ":")) + "\n")
            self.metrics.flush()

    def mean(self, value):
        """The mean over all processes."""
        if self.world > 1:
            value = value.clone()
            dist.all_reduce(value)
            value /= self.world
        return value.item()

    def loss(self, windows):
        rows = torch.stack(windows).to(self.device)
        narrow = torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.options.bf16
        )
        with narrow:
            logits = self.model(rows[:, :-1]).float().flatten(0, 1)
        return torch.nn.functional.cross_entropy(logits, rows[:, 1:].flatten())

    def advance(self):
        """One step; its mean loss and the length of its gradient."""
        self.model.train()
        total, own = torch.zeros((), device=self.device), BATCH // self.world
        for part in range(ACCUMULATE):
            first = (self.step * ACCUMULATE + part) * BATCH + self.rank * own
            windows = [
                self.training.window(self.training.start(first + i)) for i in range(own)
            ]
            if self.world > 1:
                self.model.set_requires_gradient_sync(part == ACCUMULATE - 1)
            loss = self.loss(windows) / ACCUMULATE
            loss.backward()
            total += loss.detach()
        gradients = [p.grad for p in self.model.parameters() if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(gradients)
        norm = (norm.full_tensor() if hasattr(norm, "full_tensor") else norm).item()
        loss = self.mean(total)
        self.require_number(loss, norm)
        if CLIP and norm > CLIP:
            torch._foreach_mul_(gradients, CLIP / norm)
        self.step += 1
        rate = learning_rate(self.step)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate * group.get("factor", 1.0)
            optimizer.step()
            optimizer.zero_grad()
        return loss, norm, rate

    @torch.no_grad()
    def validate(self):
        """The mean loss over windows of the validation data, spread evenly."""
        self.model.eval()
        starts, total, count = self.validation.spread(), 0.0, 0
        for first in range(0, len(starts), BATCH):
            part = starts[first : first + BATCH]
            # Each process computes all: their number need not divide.
            total += self.loss([self.validation.window(s) for s in part]).item() * len(
                part
            )
            count += len(part)
        return total / count

    def run(self):
        for _ in range(self.step, min(STEPS, self.options.stop_after or STEPS)):
            begun = time.perf_counter()
            loss, norm, rate = self.advance()
            speed = TOKENS_PER_STEP / max(1e-9, time.perf_counter() - begun)
            self.note(
                step=self.step,
                loss=loss,
                lr=rate,
                gradient_norm=norm,
                tokens=self.step * TOKENS_PER_STEP,
                tokens_per_second=round(speed, 1),
            )
            is_last = self.step == STEPS
            if self.validation and (
                is_last or VALIDATE_EVERY and self.step % VALIDATE_EVERY == 0
            ):
                value = self.validate()
                known = value if math.isfinite(value) else None
                self.note(step=self.step, validation_loss=known)
                self.require_number(value)
                self.tell(
                    f"step {self.step}: loss {loss:.4f}, validation {value:.4f}, {speed:.0f} tokens/s"
                )
            elif self.step % 10 == 0:
                self.tell(f"step {self.step}: loss {loss:.4f}, {speed:.0f} tokens/s")
            if is_last or SAVE_EVERY and self.step % SAVE_EVERY == 0:
                self.save()
        if self.rank == 0 and self.step == STEPS:
            self.describe(finished=True)
        if self.world > 1:
            dist.destroy_process_group()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", default=HERE / "run", help="the folder of the run")
    parser.add_argument("--bf16", action=argparse.BooleanOptionalAction, default=BF16)
    parser.add_argument("--compile", action="store_true", help="compile each layer")
    parser.add_argument(
        "--checkpoint", action="store_true", help="compute activations again"
    )
    parser.add_argument("--device", choices=("cpu", "cuda"), default=None)
    parser.add_argument(
        "--stop-after", type=int, help="end after this step, as if stopped"
    )
    Run(parser.parse_args()).run()


if __name__ == "__main__":
    main()
