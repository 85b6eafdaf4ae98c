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


@dataclass(order=True)
class _Job:
    """urgency: minus the seconds until its network is done, so that the longest sorts first."""

    urgency: float
    seconds: float
    gpus: int = 1
    next: tuple[float, ...] = ()


def simulate(networks: Iterable[Network], gpus: int) -> Simulated:
    """Run all networks on so many GPUs, each job when it can start, those with most to follow first.

    A training that asks for more GPUs than there are takes all of them and accordingly longer.

    Example:
        >>> from directions.workflow.cluster import Network, simulate
        >>> simulate([Network(3.0), Network(2.0), Network(1.0)], 2)
        Simulated(seconds=3.0, busy=1.0)
    """
    ready: list[_Job] = []
    for network in networks:
        wide = min(network.gpus, gpus)
        train = network.train * network.gpus / wide
        following = max(network.analyses, default=0.0)
        heapq.heappush(ready, _Job(-train - following, train, wide, network.analyses))
    running: list[tuple[float, int, _Job]] = []  # end, order, job
    now, free, used, order = 0.0, gpus, 0.0, 0
    while ready or running:
        while ready and ready[0].gpus <= free:  # a wide job waits for its GPUs: nobody overtakes it
            job, order = heapq.heappop(ready), order + 1
            free -= job.gpus
            used += job.seconds * job.gpus
            heapq.heappush(running, (now + job.seconds, order, job))
        now, _, job = heapq.heappop(running)
        free += job.gpus
        for seconds in job.next:
            heapq.heappush(ready, _Job(-seconds, seconds))
    return Simulated(now, used / (gpus * now) if now else 1.0)
