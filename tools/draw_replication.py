"""Draw Figure 1a of the published studies together with the curves of an independent replication."""

import logging
from pathlib import Path

from directions.core import cli
from directions.core import tables as table_files
from directions.core.errors import InputError
from directions.figures import replication, style

EXPERIMENT = "mnist_corruption"


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--published", required=True, type=Path, help="folder with one folder per study")
    parser.add_argument("--replication", required=True, type=Path, help="its curves, a CSV in data/paper")
    parser.add_argument("--pdf", required=True, type=Path, help="PDF to write")
    parser.add_argument("--png", required=True, type=Path, help="PNG to write")
    args = parser.parse_args(argv)
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it logs every glyph written to a PDF
    folders = sorted(args.published.glob(f"*/tables/{EXPERIMENT}"))
    studies = {path.parts[-3]: table_files.read(path, ["runs", "ablation", "areas"]) for path in folders}
    theirs = table_files.read(args.replication.parent, [args.replication.stem])
    columns = ("fraction_corrupted", "units_ablated", "mean_accuracy")
    curves = table_files.require(theirs, args.replication.stem, *columns)
    alike = {name: tables for name, tables in studies.items() if replication.comparable(tables, curves)}
    if not alike:
        raise InputError(
            f"{args.published} has no study of {EXPERIMENT} comparable to the replication, MLPs on MNIST at"
            " six fractions of corrupted labels: make results STUDIES=quick"
        )
    style.save(replication.draw(alike, curves), args.pdf, args.png)


if __name__ == "__main__":
    cli.start(main)
