"""Draw networks of the user's own: one network's summary, or several networks side by side."""

import logging
from pathlib import Path

from directions.cli import parser, start
from directions.figures import own, style
from directions.tidy import read


def main(argv: list[str]) -> None:
    options = parser(__doc__)
    options.add_argument("--pdf", required=True, help="to write")
    options.add_argument("--png", required=True, help="to write")
    options.add_argument(
        "tables", nargs="+", type=Path, help="{network}/{table}.csv; of several: a comparison"
    )
    args = options.parse_args(argv)
    logging.getLogger("fontTools").setLevel(logging.WARNING)  # it reports every glyph that goes into a PDF
    found: dict[str, dict] = {}
    for path in args.tables:
        found.setdefault(path.parent.name, {}).update(read(path.parent, [path.stem]))
    figure = own.summary(*found.values()) if len(found) == 1 else own.comparison(found)
    style.save(figure, args.pdf, args.png)
    logging.info("%s: %s and %s", ", ".join(found), args.pdf, args.png)


if __name__ == "__main__":
    start(main)
