"""Shuffle the labels of a fraction of the training images and write the label ledger."""

import logging

from directions import data
from directions.core import cli
from directions.data import labels

log = logging.getLogger(__name__)


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--data", required=True, help="data set prepared by prepare_data.py")
    parser.add_argument("--asked", required=True, help=cli.ASKED_HELP)
    parser.add_argument("--ledger", required=True, help="Parquet file to write: image, true, given, selected")
    args = parser.parse_args(argv)
    asked = cli.settings(args.asked)

    true = data.load_labels(args.data, "train")
    table = labels.ledger(true, asked["dataset"], asked["images"], asked["corrupt"], asked["seed"])
    labels.save(args.ledger, table)
    changed = (table["true"] != table["given"]).sum()
    log.info("%d images, %d selected, %d labels changed", len(table), table["selected"].sum(), changed)


if __name__ == "__main__":
    cli.start(main)
