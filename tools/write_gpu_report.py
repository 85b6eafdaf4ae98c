"""Compare this machine's GPU with its CPU, time training on it, and write both as one report to send.

Takes less than 8 minutes. Without a GPU it says so and ends.
"""

import logging
import os
import platform
import subprocess
import sys
from pathlib import Path

from directions.core import cli
from directions.core.errors import InputError
from directions.core.files import atomic

log = logging.getLogger(__name__)
ROOT = Path(__file__).parents[1]
MANY = ("MLP 2x64", "MLP 2x512", "conv11, width 1/8", "conv11")  # of bench/many.py


def machine(device: str) -> str:
    """Name what the numbers were measured with; raises InputError if there is no such device."""
    import torch

    if device == "cpu":
        return f"{platform.processor() or platform.machine()}, PyTorch {torch.__version__}"
    try:
        found = torch.cuda.get_device_properties(device)
    except (RuntimeError, AssertionError, ValueError) as error:
        raise InputError(f"--device {device}: {error}") from error
    return (
        f"{torch.cuda.device_count()} x {found.name}, {found.total_memory / 2**30:.0f} GiB, PyTorch"
        f" {torch.__version__}, CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    )


def said(*command: str, **environment: str) -> tuple[int, str]:
    """Run a command of this checkout, showing what it says; return its exit code and its words."""
    lines = []
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=os.environ | environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line)
    return process.returncode, "".join(lines)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--device", default="cuda", help="cuda, cuda:N, or cpu to try this script")
    parser.add_argument("--output", required=True, type=Path, help="Markdown file to write")
    args = parser.parse_args(argv)
    import torch

    if args.device.startswith("cuda") and not torch.cuda.is_available():
        log.info("skipped: PyTorch sees no GPU on this machine")
        return
    about = machine(args.device)
    code, tests = said("-m", "pytest", "-rA", "--no-header", "tests/gpu", GPU_DEVICE=args.device)
    results = [
        line for line in tests.splitlines() if line.startswith(("PASSED", "FAILED", "SKIPPED", "ERROR"))
    ]
    timed, speed = said("bench/training.py", "--device", args.device, "--cores", "1")
    table = speed[speed.find("Seconds per epoch") :].rstrip()
    passes = MANY if args.device.startswith("cuda") else MANY[:1]
    shared, ratios = said(
        *("bench/many.py", "--device", args.device, "--rounds", "3", "--counts", "16", "--networks", *passes)
    )
    parts = [f"# {about}", "## Compared with the CPU", "\n".join(["```", *results, "```"])]
    if code:
        parts.append(f"What failed:\n\n```\n{tests.rstrip()}\n```")
    parts += ["## Training", table, "## Sixteen networks in one pass", ratios.rstrip()]
    with atomic(args.output) as partial:
        partial.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    log.info("report: %s", args.output)
    if code or timed or shared:
        sys.exit(1)


if __name__ == "__main__":
    cli.start(main)
