"""Analyse a network of your own, on arrays: tables of all analyses and a figure, in a new folder.

The same as `directions.analyse` in Python: nothing is kept that could resume an interrupted run.
"""

import argparse
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from directions.core.errors import InputError

if TYPE_CHECKING:
    import numpy as np

    from directions.interventions.layers import Layers
    from directions.result import Analysis

FILES = ("IMAGES", "LABELS")


def declare(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of `directions analyse`."""
    parser.add_argument("build", help="factory of the network, file.py:function")
    parser.add_argument("--weights", type=Path, help=".pt or .safetensors; without, the factory's own")
    parser.add_argument(
        "--layers",
        nargs="+",
        default=["all activations"],
        help="modules whose outputs are units, or patterns: relu1 'layer1.*'; or modules and the activation"
        " that follows, fc1=relu. By default all activations; `directions layers` prints all names",
    )
    parser.add_argument(
        "--train", nargs=2, required=True, metavar=FILES, help="files .npy, .pt or IDX; labels also .csv"
    )
    parser.add_argument("--test", nargs=2, metavar=FILES, help="by default, units are measured on --train")
    parser.add_argument(
        "--settings",
        type=Path,
        help="YAML of other settings, as in configs/own.example.yaml: normalize: {mean: [0.1], sd: [0.3]}",
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to write, new or empty")
    parser.add_argument("--name", help="of the network, by default that of the folder")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: auto)")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the CPU (default: all)")
    parser.add_argument("--quiet", action="store_true", help="print no progress, only warnings")


def run(args: argparse.Namespace) -> None:
    """Write the tables and the figure; print their names. Raises InputError as `directions.analyse` does."""
    from directions import api
    from directions.core import cli
    from directions.data import user_arrays
    from directions.models import user

    _check(args.output)
    settings = _settings(args.settings)
    layers = _layers(args.layers)
    device = cli.prepare_torch(args.device, args.threads)
    train, test = _arrays(args.train), _arrays(args.test) if args.test else None
    first = user_arrays.as_images(train[0][:1], args.train[0], doubted=False)
    network = user.imported({"build": args.build, "weights": args.weights}, first.shape[1:])
    found = api.analyse(
        network,
        layers,
        train,
        test,
        name=args.name or args.output.resolve().name,
        device=device,
        progress=not args.quiet,
        **settings,
    )
    _write(found, args.output)
    for path in sorted(args.output.iterdir()):
        print(path)


def _check(output: Path) -> None:
    """Raise InputError for a folder that holds files, whose tables would mix, or that cannot be made."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise _refused(output, "exists and is not an empty folder")
    above = next(folder for folder in output.absolute().parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise _refused(output, f"{above} is no folder in which you may write")


def _write(found: "Analysis", output: Path) -> None:
    """Write the result completely or not at all. Raises InputError if the disk is full, and the like."""
    partial = output.with_name(f".{output.resolve().name}.partial")
    try:
        shutil.rmtree(partial, ignore_errors=True)  # left by a kill
        found.save(partial).replace(output)
    except OSError as error:
        raise _refused(output, f"cannot be written ({error.strerror})") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _refused(output: Path, why: str) -> InputError:
    return InputError(f"--output {output}: {why}: name a new folder")


def _settings(path: Path | None) -> dict[str, Any]:
    """Read --settings. Raises InputError for a key or value that `analyse` does not take from a file."""
    from directions.study.config_files import read_yaml
    from directions.study.user_networks import check_settings

    if path is None:
        return {}
    if not path.is_file():
        raise InputError(f"--settings: there is no file {path} (looked for in {Path.cwd()})")
    given = read_yaml(path)
    try:
        check_settings(given)
    except InputError as error:
        raise InputError(f"--settings {path}: {error}") from error
    return given


def _layers(words: list[str]) -> "Layers":
    """Parse --layers: a mapping of fc1=relu, a list of names, or all activations."""
    from directions.interventions.layer_patterns import ALL

    if " ".join(words) == ALL:
        return ALL
    pairs = [word.split("=", 1) for word in words if "=" in word]
    if pairs and len(pairs) < len(words):
        raise InputError("--layers: some have an activation, some have none: write fc1=relu, or relu1=none")
    return dict(pairs) if pairs else words


def _arrays(files: list[str]) -> "tuple[np.ndarray, np.ndarray]":
    from directions.data.user_arrays import array

    images, labels = map(array, files)
    return images, labels
