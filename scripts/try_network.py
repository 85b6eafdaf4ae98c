"""Check a network of your own before its data are prepared: factory, weights and layers."""

import json

from directions.core import cli
from directions.core.files import atomic
from directions.interventions.layers import find
from directions.models.user import imported


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--asked", required=True, help=cli.ASKED_HELP)
    parser.add_argument("--output", required=True, help="JSON to write: layers and their numbers of units")
    args = parser.parse_args(argv)
    settings = cli.settings(args.asked)
    found = find(imported(settings, settings["shape"]), settings["layers"], settings["shape"])
    with atomic(args.output) as partial:
        partial.write_text(json.dumps(found.layers) + "\n")


if __name__ == "__main__":
    cli.start(main)
