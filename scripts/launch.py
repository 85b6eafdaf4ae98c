"""Become another script; in several processes, torchrun; on several nodes of a Slurm job, under srun."""

import argparse
import os
import socket
import sys

from directions import cli, launching


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--nodes", type=int, default=1, help="machines")
    parser.add_argument("--processes", type=int, default=1, help="processes on each of them, one per GPU")
    parser.add_argument("--node-threads", type=int, default=1, help="CPU threads of all of these")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="the script and its arguments")
    args = parser.parse_args(argv)
    command = launching.command(
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
