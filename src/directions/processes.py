"""Several processes that train one network together, started by torchrun; one alone needs nothing of it.

Each holds the whole network and takes its share of every batch; gradients are averaged, so all take the same
step. How many there are changes weights by rounding only, and is no setting.
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

import torch
from torch import Tensor, nn

from directions.errors import InputError

# What torchrun says to each process that it starts.
STARTED = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT")

PR_SET_PDEATHSIG = 1  # of prctl(2): the signal to get when the parent dies

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Processes:
    """How many processes there are, and which of them this is: `rank` among all, `local` on this machine."""

    rank: int = 0
    count: int = 1
    local: int = 0
    local_count: int = 1

    @property
    def first(self) -> bool:
        """Is this the one that writes files and the log?"""
        return self.rank == 0

    def threads(self, threads: int) -> int:
        """The CPU threads of this process, if all processes of this machine have so many together."""
        return max(1, threads // self.local_count)

    def device(self, device: torch.device) -> torch.device:
        """The device of this process: of several, each takes the GPU of its own number.

        Raises InputError when there are fewer GPUs, or when all were sent to one.
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
        """How many images of each batch are for this process; raises InputError where it cannot be shared."""
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
        """Which of `count` images this process evaluates."""
        return slice(self.rank * count // self.count, (self.rank + 1) * count // self.count)

    def replica(self, model: nn.Module) -> nn.Module:
        """What to train in place of `model`: the same parameters, but their gradients are averaged.

        All begin with the parameters and buffers of the first process.
        """
        return nn.parallel.DistributedDataParallel(model) if self.count > 1 else model

    def average(self, tensors: list[Tensor]) -> None:
        """Make these tensors, in place, what they are on average over all processes."""
        if self.count == 1 or not tensors:
            return
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        torch.distributed.all_reduce(flat)
        flat /= self.count
        for tensor, mean in zip(tensors, flat.split([tensor.numel() for tensor in tensors]), strict=True):
            tensor.copy_(mean.view_as(tensor))

    def summed(self, values: Sequence[float], device: torch.device) -> list[float]:
        """Each value (whole numbers stay exact) summed over all processes."""
        if self.count == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=device)
        torch.distributed.all_reduce(sums)
        return sums.tolist()

    def received(self, value: object) -> object:
        """What the first process passed here, in all of them."""
        if self.count == 1:
            return value
        box = [value]
        torch.distributed.broadcast_object_list(box)
        return box[0]


ALONE = Processes()


@contextmanager
def joined() -> Iterator[Processes]:
    """The processes that torchrun started, connected; `ALONE` without it.

    The first to fail speaks for all: what is an error in one is an error in each, or a lost connection.
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
    """End without a word where another process has failed before: called as `__exit__` is."""
    if kind is not None and issubclass(kind, Exception) and store.add("failed", 1) > 1:
        sys.exit(2)


def end_with_torchrun() -> None:
    """Have Linux kill this process when torchrun is killed: else it would train on beside the next run."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
