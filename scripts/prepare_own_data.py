"""Prepare a data set from your own files, or a known data set with other labels."""

import logging
import os

from directions import data
from directions.core import cli
from directions.data import user_arrays


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--asked", required=True, help=cli.ASKED_HELP)
    parser.add_argument("--known", help="the prepared data set whose labels are replaced")
    parser.add_argument("--output", required=True, help="file to write")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads to read images with")
    args = parser.parse_args(argv)
    settings = cli.settings(args.asked)
    known = data.load(args.known) if args.known else None
    dataset = user_arrays.dataset(settings["data"], settings["labels"], known, args.threads)
    dataset.save(args.output)
    logging.info(
        "%s: %d training and %d test images of shape %s, %d classes",
        args.output,
        len(dataset.train_images),
        len(dataset.test_images),
        dataset.train_images.shape[1:],
        dataset.classes,
    )


if __name__ == "__main__":
    cli.start(main)
