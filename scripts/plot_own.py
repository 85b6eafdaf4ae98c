"""Draw networks of your own: the summary of one network, or a comparison of several."""

import logging
from pathlib import Path

from directions.analyses import invariants
from directions.core.cli import parser, start
from directions.core.tables import read
from directions.figures import own, own_comparison, style


def main(argv: list[str]) -> None:
    options = parser(__doc__)
    options.add_argument("--pdf", required=True, help="PDF to write")
    options.add_argument("--png", required=True, help="PNG to write")
    options.add_argument(
        "tables", nargs="+", type=Path, help="{network}/{table}.csv; several networks are compared"
    )
    args = options.parse_args(argv)
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it logs every glyph written to a PDF
    found: dict[str, dict] = {}
    for path in args.tables:
        found.setdefault(path.parent.name, {}).update(read(path.parent, [path.stem]))
    for tables in found.values():
        invariants.check(tables)
    alone = len(found) == 1
    figure = own.summary(*found.values()) if alone else own_comparison.comparison(found)
    style.save(figure, args.pdf, args.png)
    for doubt in () if alone else own_comparison.doubts(own_comparison.pooled(found)):
        logging.warning("warning: comparison: %s", doubt)
    for name, tables in found.items() if alone else ():
        for doubt in own.doubts_of_units(tables):
            logging.warning("warning: %s: %s", name, doubt)
    logging.info("%s: %s and %s", ", ".join(found), args.pdf, args.png)


if __name__ == "__main__":
    start(main)
