"""Write the sections of docs/TABLES.md about analyses from what each analysis declares (`SPEC`)."""

import json
import logging
import re
from pathlib import Path

from directions.core import cli
from directions.core.errors import InputError
from directions.study.analysis_spec import AnalysisSpec
from directions.study.catalogue import SPECS
from directions.study.settings import settings_of

log = logging.getLogger(__name__)


def section(name: str, spec: AnalysisSpec) -> str:
    """Return the section about a table: its columns, and the settings of the analysis that makes it."""
    columns = [f"| {names} | {meaning} |" for names, meaning in spec.columns.items()]
    settings = []
    for key, one in settings_of(spec.settings).items():
        default = f"; for your own networks: {json.dumps(spec.defaults[key])}" if key in spec.defaults else ""
        told = one.metadata
        settings.append(f"- `{key}`: {told['help']} ({told['values']['description']}{default})")
    lines = [f"## {spec.table}: {spec.rows}", "", "| column | meaning |", "|---|---|", *columns, ""]
    return "\n".join([*lines, f"Settings of `{name}`:", "", *settings, "", ""])


def rewritten(text: str) -> str:
    """Return the text of docs/TABLES.md with the section of every analysis as its file declares it.

    Raises InputError if a section is missing.
    """
    for name, spec in SPECS.items():
        pattern = rf"^## {spec.table}: .*?(?=^## |\Z)"
        if not re.search(pattern, text, re.M | re.S):
            raise InputError(f"docs/TABLES.md has no section for {name}: add a line `## {spec.table}: `")
        new = section(name, spec)
        text = re.sub(pattern, lambda _, new=new: new, text, flags=re.M | re.S)
    return text


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--page", type=Path, default=Path("docs/TABLES.md"), help="file to rewrite")
    args = parser.parse_args(argv)
    args.page.write_text(rewritten(args.page.read_text(encoding="utf-8")), encoding="utf-8")
    log.info("written: %s", args.page)


if __name__ == "__main__":
    cli.start(main)
