"""Seconds per epoch of this project's training and of a plain training loop, on this machine.

The plain loop is a tutorial's: torchvision's transforms in a DataLoader, float32, PyTorch's default number of
threads. Each is measured alone, with all cores, and as in a study: one network per core at a time, where this
project gives every job one thread. Rounds alternate between the methods; the table shows medians.

Run by `make bench-training`; results of one machine are in docs/PERFORMANCE.md.
"""

import argparse
import itertools
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator

IMAGES = 4096  # per epoch; times are given per 1,000 images
SECONDS = 6.0  # measuring time of each process
NETWORKS = {  # name in the table: settings that differ from the paper study's
    "MLP 2x512": {"model": "mlp", "shape": (1, 28, 28), "batch": 128, "optimizer": "sgd"},
    "conv11": {"model": "conv11", "shape": (3, 32, 32), "batch": 32, "optimizer": "adam", "width": 1.0},
    "conv11, width 1/8": {
        "model": "conv11", "shape": (3, 32, 32), "batch": 32, "optimizer": "adam", "width": 0.125
    },
}  # fmt: skip
WAYS = ("plain", "float32", "bf16")
OTHER_SETTINGS = {
    "hidden": [512, 512], "batch_norm": True, "norm_batch": None, "pad": 0, "learning_rate": 0.001,
    "momentum": 0.9, "weight_decay": 0.0, "dropout": 0.0, "seed": 0, "steps": None, "schedule": "constant",
    "augment": False, "keep_epochs": [], "require_train_accuracy": None, "width": None,
    "dataset": "random", "images": "all", "epochs": 1, "corrupt": 0.0, "evaluate_every": 1,
}  # fmt: skip


def seconds_per_epoch(network: dict, way: str, device: str) -> float:
    """Time 1,000 images in this process, over at least `SECONDS`, after a few warm-up steps."""
    import torch

    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (IMAGES, *network["shape"]), dtype=torch.uint8, generator=generator)
    labels = torch.randint(0, 10, (IMAGES,), generator=generator)
    settings = OTHER_SETTINGS | network | {"precision": "bf16" if way == "bf16" else "float32"}
    del settings["shape"]
    run = plain_steps if way == "plain" else our_steps
    steps = run(settings, images, labels, device)
    for _ in range(3):
        next(steps)
    begun, seen, spent = time.perf_counter(), 0, 0.0
    while spent < SECONDS:
        seen += next(steps)
        if device != "cpu":
            torch.cuda.synchronize()
        spent = time.perf_counter() - begun
    return spent / seen * 1000


def plain_steps(settings: dict, images, labels, device: str) -> Iterator[int]:
    """Run a tutorial's training loop; yields the number of images after every step."""
    import torch
    from torch.utils.data import DataLoader, Dataset
    from torchvision.transforms import ToTensor

    from directions import models

    class Pictures(Dataset):
        def __init__(self):
            self.pixels, self.to_tensor = images.permute(0, 2, 3, 1).numpy(), ToTensor()

        def __len__(self) -> int:
            return len(labels)

        def __getitem__(self, index: int):
            return self.to_tensor(self.pixels[index]), labels[index]

    model = (
        models.build(settings, tuple(images.shape[1:]), 10)
        .to(memory_format=torch.contiguous_format)
        .to(device)
    )
    make = torch.optim.Adam if settings["optimizer"] == "adam" else torch.optim.SGD
    optimizer = make(model.parameters(), lr=settings["learning_rate"])
    loader = DataLoader(Pictures(), batch_size=settings["batch"], shuffle=True)
    while True:
        for batch, targets in loader:
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(model(batch.to(device)), targets.to(device))
            loss.backward()
            optimizer.step()
            yield len(targets)


def our_steps(settings: dict, images, labels, device: str) -> Iterator[int]:
    """Do the same with `directions.training.loop`."""
    from directions import models
    from directions.data.examples import Examples
    from directions.models.optimizers import make_optimizer
    from directions.study import training_settings
    from directions.training import loop as training_loop
    from directions.training import schedule
    from directions.training.distributed import ALONE

    examples = Examples(images.to(device), labels.to(device), 10)
    model = models.build(settings, examples.image_shape, 10).to(device).train()
    typed = training_settings.read(settings)
    optimizer = make_optimizer(model.parameters(), typed)
    for epoch in itertools.count():
        for batch, targets in schedule.batches(examples, typed, epoch, (0, IMAGES), ALONE):
            training_loop.take_step(model, optimizer, batch, targets, typed.precision)
            yield len(targets)


def measure(name: str, way: str, together: int, arguments: argparse.Namespace) -> float:
    """Average over `together` processes at once."""
    command = [
        sys.executable, __file__, "--one", name, "--way", way, "--device", arguments.device,
        "--threads", str(max(1, arguments.cores // together)),
    ]  # fmt: skip
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(together)]
    return statistics.mean(float(process.communicate()[0]) for process in running)


def table(arguments: argparse.Namespace) -> str:
    """Build the Markdown table of all networks and methods."""
    lines = ["| network | at a time | plain | float32 | bf16 | plain / best |", "|---|---|---|---|---|---|"]
    for name in NETWORKS:
        for together in sorted({1, arguments.cores}):
            found = {way: [] for way in WAYS}
            for _ in range(arguments.rounds):
                for way in WAYS:
                    found[way].append(measure(name, way, together, arguments))
            median = {way: statistics.median(values) for way, values in found.items()}
            ratio = median["plain"] / min(median["float32"], median["bf16"])
            cells = " | ".join(f"{median[way]:.3g}" for way in WAYS)
            lines.append(f"| {name} | {together} | {cells} | {ratio:.1f} |")
            print(lines[-1], file=sys.stderr, flush=True)
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), help="networks trained at a time")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=NETWORKS, help=argparse.SUPPRESS)  # a single process of a round
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one is None:
        print("Seconds per epoch of 1,000 images:\n\n" + table(arguments))
        return
    if arguments.way != "plain":
        import torch

        torch.set_num_threads(arguments.threads)
    print(seconds_per_epoch(NETWORKS[arguments.one], arguments.way, arguments.device))


if __name__ == "__main__":
    main()
