"""Write a study as one HTML file: findings, claims, figures, sortable tables, run times, versions, commit."""

from pathlib import Path

from directions.core import cli
from directions.core.files import atomic
from directions.report import page, source


def main(argv: list[str]) -> None:
    parser = cli.parser(__doc__)
    parser.add_argument("--study", required=True, help="name of the study")
    parser.add_argument("--figures", default="all", help="figures that must be current: all, or fig1a,fig2a")
    parser.add_argument("--stale", action="store_true", help="note that the files may not be current")
    parser.add_argument("--results", type=Path, help="take this folder of results, unchecked")
    parser.add_argument("--benchmarks", type=Path, help="folder of run times, by default the study's")
    parser.add_argument("--output", type=Path, help="file to write, by default results/STUDY/report.html")
    args = parser.parse_args(argv)
    root = Path.cwd()
    if args.results:
        files = source.given(args.results, args.study)
    else:
        files = source.find(root, args.study, args.figures, args.stale)
    output = args.output or Path("results", args.study, source.PAGE)
    text = page.render(
        root, args.study, files, args.benchmarks or root / "benchmarks" / args.study, args.stale
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    with atomic(output) as written:
        written.write_text(text, encoding="utf-8")
    print(f"Report: {output}")


if __name__ == "__main__":
    cli.start(main)
