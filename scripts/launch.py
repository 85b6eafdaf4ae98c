"""Run another script, under torchrun for several processes and under srun for several Slurm nodes."""

import argparse
import os
import socket
import sys

from directions.core import cli
from directions.training import torchrun


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--nodes", type=int, default=1, help="number of machines")
    parser.add_argument("--processes", type=int, default=1, help="processes per machine, one per GPU")
    parser.add_argument("--node-threads", type=int, default=1, help="CPU threads per machine")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="the script and its arguments")
    args = parser.parse_args(argv)
    command = torchrun.command(
        args.script,
        args.nodes,
        args.processes,
        args.node_threads,
        socket.gethostname(),
        os.environ.get("SLURM_JOB_ID"),
    )
    sys.stdout.flush()
    os.execvp(command[0], command)


if __name__ == "__main__":
    cli.start(main)
