"""Build the command that starts a script: with Python alone, torchrun, or torchrun on each node by srun."""

import sys
from collections.abc import Sequence

from directions.core.errors import InputError

PORTS = range(20000, 30000)  # port on which the first node listens to the others; one per Slurm job


def command(
    script: Sequence[str], nodes: int, processes: int, threads: int, host: str, job: str | None
) -> list[str]:
    """Return the command that starts `script` (its path and arguments) in nodes x processes processes.

    threads: CPU threads of all processes on one node. host: name of this node, the first of the job.
    job: number of the surrounding Slurm job, or None. Raises InputError for several nodes without a job.
    """
    if nodes == processes == 1:
        return [sys.executable, *script]
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(processes)]
    if nodes == 1:
        return [*torchrun, "--standalone", *script]
    if job is None:
        raise InputError(
            f"{nodes} nodes were requested outside of a Slurm job: set nodes to 1 (docs/CLUSTER.md)"
        )
    port = PORTS[int(job) % len(PORTS)]
    return [
        "srun", f"--nodes={nodes}", f"--ntasks={nodes}", "--ntasks-per-node=1", f"--cpus-per-task={threads}",
        "--kill-on-bad-exit=1", *torchrun, "--nnodes", str(nodes), "--rdzv-backend", "c10d",
        "--rdzv-endpoint", f"{host}:{port}", "--rdzv-id", job, *script,
    ]  # fmt: skip
