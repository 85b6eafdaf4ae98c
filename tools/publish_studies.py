"""Copy tables and figures of finished studies to the folder that is tracked with the code."""

import importlib
import shutil
from pathlib import Path

from directions.core import cli
from directions.core import tables as table_files
from directions.core.errors import InputError
from directions.figures import redraw, style
from directions.study import config, paper_curves
from directions.study.catalogue import FIGURES, paper_files

KINDS = ("tables/**/*.csv", "tables/claims.json", "figures/*.png", "figures/*.pdf")


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--results", required=True, type=Path, help="folder with the results of all studies")
    parser.add_argument("--published", required=True, type=Path, help="folder to copy to")
    parser.add_argument("--readme", default="", help="figures also drawn for the README: fig1a,fig2a")
    parser.add_argument("study", nargs="+", help="names of studies")
    args = parser.parse_args(argv)
    small = [name for name in args.readme.split(",") if name]
    if unknown := set(small) - set(FIGURES):
        raise InputError(f"unknown figure {min(unknown)!r}: known are {', '.join(FIGURES)}")
    for study in args.study:
        if not (args.results / study / "tables/claims.csv").exists():
            raise InputError(
                f"{args.results / study} has no claims table: finish the study first,"
                f" snakemake --cores all --config study={study} -- all"
            )
    for study in args.study:
        shutil.rmtree(args.published / study, ignore_errors=True)
        for kind in KINDS:
            for path in sorted((args.results / study).glob(kind)):
                copy = args.published / path.relative_to(args.results)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, copy)
        for figure in small:
            if (args.published / study / f"figures/{figure}.png").exists():
                draw_for_readme(args.published / study, figure)


def draw_for_readme(folder: Path, figure: str) -> None:
    """Draw `folder`/figures/readme/{figure}.png from its tables, with larger text and no footnotes.

    Raises InputError if the study's claims do not name the figure's experiment, or a table is missing.
    """
    tables = table_files.read(folder / "tables" / redraw.experiment(figure, folder), FIGURES[figure])
    for path in paper_files(figure, config.read_yaml(Path("config.yaml")).get("paper_curves", True)):
        tables["paper"] = paper_curves.read(path)
    module = importlib.import_module(f"directions.figures.{figure}")
    with style.for_readme():
        drawn = module.draw(tables, folder.name)
    style.save_png(drawn, folder / f"figures/readme/{figure}.png")


if __name__ == "__main__":
    cli.start(main)
