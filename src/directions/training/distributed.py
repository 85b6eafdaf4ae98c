"""Train one network in several processes, started by torchrun; a single process needs none of this.

Each process holds the whole network and takes its share of every batch; gradients are averaged, so all take
the same step. The number of processes changes weights only by rounding, so it is not a setting.
"""

import ctypes
import logging
import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from directions.core.errors import InputError

# environment variables that torchrun sets for each process
STARTED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")

PR_SET_PDEATHSIG = 1  # for prctl(2): the signal to receive when the parent dies

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Processes:
    """Number of processes and which one this is: `rank` among all, `local` on this machine."""

    rank: int = 0
    count: int = 1
    local: int = 0
    local_count: int = 1

    @property
    def first(self) -> bool:
        """Return whether this process writes the files and the log."""
        return self.rank == 0

    def threads(self, threads: int) -> int:
        """Return the CPU threads of this process, if all processes on this machine share `threads`."""
        return max(1, threads // self.local_count)

    def device(self, device: torch.device) -> torch.device:
        """Return this process's device: with several processes, each takes the GPU of its local rank.

        Raises InputError if there are fewer GPUs, or if all processes were given the same one.
        """
        if self.count == 1 or device.type != "cuda":
            return device
        if device.index is not None:
            raise InputError(f"device {device} cannot serve {self.count} processes: set `device: cuda`")
        if self.local_count > torch.cuda.device_count():
            raise InputError(
                f"{self.local_count} processes, but torch sees {torch.cuda.device_count()} GPUs here: "
                "start one process per GPU at most"
            )
        torch.cuda.set_device(self.local)
        return torch.device("cuda", self.local)

    def share(self, batch: int, norm_batch: int | None) -> int:
        """Return this process's images per batch; raises InputError if a batch cannot be split evenly."""
        if self.count == 1:
            return batch
        if norm_batch is None:
            raise InputError(
                f"norm_batch is null: what {self.count} processes learn would depend on their number; "
                "set norm_batch (of conv11 and resnet50), or start one process"
            )
        groups = batch // norm_batch
        if groups % self.count:
            *others, last = (str(count) for count in range(1, groups + 1) if groups % count == 0)
            allowed = f"{', '.join(others)} or {last}" if others else last
            raise InputError(
                f"batch {batch} in groups of norm_batch {norm_batch} cannot be shared by {self.count} "
                f"processes: start {allowed}"
            )
        return batch // self.count

    def part(self, count: int) -> slice:
        """Return the slice of `count` images that this process evaluates."""
        return slice(self.rank * count // self.count, (self.rank + 1) * count // self.count)

    def replica(self, model: nn.Module) -> nn.Module:
        """Wrap `model` for training: the same parameters, with gradients averaged over all processes.

        All processes start from the parameters and buffers of the first.
        """
        return nn.parallel.DistributedDataParallel(model) if self.count > 1 else model

    def average(self, tensors: list[Tensor]) -> None:
        """Average these tensors over all processes, in place."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        torch.distributed.all_reduce(flat)
        flat /= self.count
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def summed(self, values: Sequence[float], device: torch.device) -> list[float]:
        """Sum each value over all processes; whole numbers stay exact."""
        if self.count == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=device)
        torch.distributed.all_reduce(sums)
        return sums.tolist()

    def received(self, value: Any) -> Any:
        """Return the value that the first process passed, in all processes."""
        if self.count == 1:
            return value
        box = [value]
        torch.distributed.broadcast_object_list(box)
        return box[0]


ALONE = Processes()


@contextmanager
def joined() -> Iterator[Processes]:
    """Connect the processes that torchrun started; yields `ALONE` without torchrun.

    Only the first process to fail reports: the others fail with the same error or a lost connection.
    """
    if not all(name in os.environ for name in STARTED):
        yield ALONE
        return
    end_with_torchrun()
    rank, count, local, local_count = (int(os.environ[name]) for name in STARTED[:4])
    store, *_ = next(torch.distributed.rendezvous("env://"))
    torch.distributed.init_process_group(store=store, rank=rank, world_size=count)
    if rank > 0:
        logging.getLogger().setLevel(logging.WARNING)
    log.info("%d processes", count)
    with ExitStack() as failing:
        failing.push(partial(_only_the_first_speaks, store))
        yield Processes(rank, count, local, local_count)
    torch.distributed.destroy_process_group()


def _only_the_first_speaks(store: torch.distributed.Store, kind: type | None, *_: object) -> None:
    """Exit silently if another process has already failed; called like `__exit__`."""
    if kind is not None and issubclass(kind, Exception) and store.add("failed", 1) > 1:
        sys.exit(2)


def end_with_torchrun() -> None:
    """Have Linux kill this process when torchrun is killed; it would keep training alongside the next run."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
