"""How long a study takes on a number of GPUs: a simulated cluster that starts the longest work first."""

import heapq
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Network:
    """Seconds of its training, on `gpus` at once, and of its analyses, each on one, side by side."""

    train: float
    analyses: tuple[float, ...] = ()
    gpus: int = 1

    @property
    def longest(self) -> float:
        """Seconds from its start to its end, however many GPUs there are."""
        return self.train + max(self.analyses, default=0.0)


@dataclass(frozen=True)
class Simulated:
    """seconds: until all is done; busy: share of the GPUs' time in use until then."""

    seconds: float
    busy: float


def simulate(networks: Iterable[Network], gpus: int) -> Simulated:
    """Run all networks on so many GPUs, each job when it can start, those with most to follow first.

    A training that asks for more GPUs than there are takes all of them and accordingly longer.

    Example:
        >>> from directions.workflow.cluster import Network, simulate
        >>> simulate([Network(3.0), Network(2.0), Network(1.0)], 2)
        Simulated(seconds=3.0, busy=1.0)
    """
    ready: list[
        tuple[float, int, float, int, tuple[float, ...]]
    ] = []  # - to follow, order, seconds, gpus, next
    order = 0
    for network in networks:
        wide = min(network.gpus, gpus)
        train = network.train * network.gpus / wide
        following = max(network.analyses, default=0.0)
        heapq.heappush(ready, (-train - following, order, train, wide, network.analyses))
        order += 1
    running: list[tuple[float, int, int, tuple[float, ...]]] = []  # end, order, gpus, next
    now, free, used = 0.0, gpus, 0.0
    while ready or running:
        waiting = []
        while ready:
            job = heapq.heappop(ready)
            _, number, seconds, wide, following_jobs = job
            if wide > free:
                waiting.append(job)
                break  # a wide job waits for its GPUs: nobody overtakes it
            free -= wide
            used += seconds * wide
            heapq.heappush(running, (now + seconds, number, wide, following_jobs))
        for job in waiting:
            heapq.heappush(ready, job)
        now, _, wide, following_jobs = heapq.heappop(running)
        free += wide
        for seconds in following_jobs:
            heapq.heappush(ready, (-seconds, order, seconds, 1, ()))
            order += 1
    return Simulated(now, used / (gpus * now) if now else 1.0)
