"""Write the sections of docs/TABLES.md about analyses from what each analysis declares (`SPEC`)."""

import json
import logging
import re
from pathlib import Path

from directions.core import cli
from directions.core.errors import InputError
from directions.study import schema
from directions.study.analysis_spec import UNSET, AnalysisSpec
from directions.study.catalogue import SPECS

log = logging.getLogger(__name__)


def section(name: str, spec: AnalysisSpec, definitions: dict) -> str:
    """Return the section about a table: its columns, and the settings of the analysis that makes it.

    definitions: `$defs` of the config's schema, for values that several analyses share.
    """
    columns = [f"| {names} | {meaning} |" for names, meaning in spec.columns.items()]
    settings = []
    for key, one in spec.settings.items():
        allowed = schema.resolved(one.values, {"$defs": definitions})["description"]
        default = "" if one.default is UNSET else f"; for your own networks: {json.dumps(one.default)}"
        settings.append(f"- `{key}`: {one.help} ({allowed}{default})")
    lines = [f"## {spec.table}: {spec.rows}", "", "| column | meaning |", "|---|---|", *columns, ""]
    return "\n".join([*lines, f"Settings of `{name}`:", "", *settings, "", ""])


def rewritten(text: str, definitions: dict) -> str:
    """Return the text of docs/TABLES.md with the section of every analysis as its file declares it.

    Raises InputError if a section is missing.
    """
    for name, spec in SPECS.items():
        pattern = rf"^## {spec.table}: .*?(?=^## |\Z)"
        if not re.search(pattern, text, re.M | re.S):
            raise InputError(f"docs/TABLES.md has no section for {name}: add a line `## {spec.table}: `")
        new = section(name, spec, definitions)
        text = re.sub(pattern, lambda _, new=new: new, text, flags=re.M | re.S)
    return text


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--page", type=Path, default=Path("docs/TABLES.md"), help="file to rewrite")
    args = parser.parse_args(argv)
    definitions = schema.read()["$defs"]
    args.page.write_text(rewritten(args.page.read_text(encoding="utf-8"), definitions), encoding="utf-8")
    log.info("written: %s", args.page)


if __name__ == "__main__":
    cli.start(main)
