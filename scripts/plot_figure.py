"""Draw one figure of the paper from its tables, as PDF and PNG."""

import importlib
import logging
from pathlib import Path

from directions.analyses import invariants
from directions.core.cli import parser, start
from directions.core.errors import InputError
from directions.core.tables import read
from directions.figures import style
from directions.study.catalogue import FIGURES
from directions.study.paper_curves import read as read_paper

log = logging.getLogger(__name__)


def main(argv: list[str]) -> None:
    options = parser(__doc__)
    options.add_argument("--figure", required=True, help=f"one of {', '.join(FIGURES)}")
    options.add_argument("--study", required=True, help="name of the study, for the title")
    options.add_argument("--tables", required=True, help="folder of the experiment's tables")
    options.add_argument("--paper", help="the paper's own curves, drawn behind: data/paper/figures/fig1a.csv")
    options.add_argument("--pdf", required=True, help="PDF to write")
    options.add_argument("--png", required=True, help="PNG to write")
    args = options.parse_args(argv)
    if args.figure not in FIGURES:
        raise InputError(f"unknown figure {args.figure!r}: known are {', '.join(FIGURES)}")
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it logs every glyph written to a PDF
    module = importlib.import_module(f"directions.figures.{args.figure}")
    tables = read(args.tables, FIGURES[args.figure])
    if args.paper:
        if Path(args.paper).stem != args.figure:
            raise InputError(
                f"--paper {args.paper} is for another panel than {args.figure}: the file name must match"
            )
        tables["paper"] = read_paper(args.paper)
    figure = module.draw(tables, args.study)
    invariants.check(tables)
    style.save(figure, args.pdf, args.png)
    log.info("%s of the %s study: %s and %s", args.figure, args.study, args.pdf, args.png)


if __name__ == "__main__":
    start(main)
