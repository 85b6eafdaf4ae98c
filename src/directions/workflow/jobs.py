"""The jobs of a study: product, name of log and run time, and the figures that wait for each.

The rules are in rules/*.smk; a test compares this list with Snakemake's plan. Only reports use it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from directions.study import paths
from directions.study.catalogue import DERIVED, DERIVED_BY, FIGURES, made_by, specs
from directions.study.run_table import Runs, expand, labels, labels_name, needed_tables


@dataclass(frozen=True)
class Job:
    """One job. name: of its log below logs/ and its run time below benchmarks/; product: its output.

    figures: those that wait for it. experiment, run: for jobs that work on one network, else None.
    """

    rule: str
    name: str
    product: str
    figures: tuple[str, ...]
    experiment: str | None = None
    run: str | None = None


def jobs(config: Mapping) -> list[Job]:
    """List all jobs for a config from `config.load`, in workflow order; the target `all` is not a job."""
    return [*_data(config), *_networks(config), *_tables(config), *_ends(config)]


def _read(config: Mapping) -> dict[str, list[str]]:
    """Map experiments to the tables that the figures read; other tables are not built."""
    return needed_tables(config, config["figures"])


def _runs(config: Mapping) -> Runs:
    return {name: group for name, group in expand(config).items() if name in _read(config)}


def figures_of(config: Mapping, experiment: str, table: str | None = None) -> tuple[str, ...]:
    """List the figures that show an experiment or, with `table`, that read it or a table derived from it."""
    wanted = {table, *(t for t in DERIVED if table in ("ablation", "areas", "runs"))} if table else None
    shown = [figure for figure in config["figures"] if config["draw"][figure] == experiment]
    return tuple(figure for figure in shown if wanted is None or wanted & set(FIGURES[figure]))


def _data(config: Mapping) -> Iterator[Job]:
    runs, study = _runs(config), config["study"]

    def waiting(dataset: str, ledger: str | None = None) -> tuple[str, ...]:
        using = {
            name
            for name, group in runs.items()
            for settings in group.values()
            if settings["dataset"] == dataset and ledger in (None, labels_name(settings))
        }
        return tuple(figure for figure in config["figures"] if config["draw"][figure] in using)

    for dataset, ledgers in labels(runs).items():
        made = paths.DATA.at(data_root=config["data_root"], dataset=dataset)
        yield Job("prepare_data", made.name, made["data"], waiting(dataset))
        for ledger in ledgers:
            made = paths.LABELS.at(study=study, dataset=dataset, labels=ledger)
            yield Job("corrupt_labels", made.name, made["ledger"], waiting(dataset, ledger))


def _networks(config: Mapping) -> Iterator[Job]:
    study, known, needs = config["study"], specs(config), made_by(config)
    for experiment, group in _runs(config).items():
        analyses = [needs[table] for table in _read(config)[experiment]]
        rule = "train_distributed" if all(run["norm_batch"] for run in group.values()) else "train"
        for run in group:
            names = {"study": study, "experiment": experiment, "run": run}
            made, figures = paths.NETWORK.at(**names), figures_of(config, experiment)
            yield Job(rule, made.name, made["model"], figures, experiment, run)
            for analysis, spec in known.items():
                if analysis in analyses:
                    made = paths.MEASURED.at(table=spec.table, **names)
                    figures = figures_of(config, experiment, spec.table)
                    yield Job(analysis, made.name, made["table"], figures, experiment, run)


def _tables(config: Mapping) -> Iterator[Job]:
    for experiment, tables in _read(config).items():
        needed = set(tables) | ({"ablation", "runs"} if set(DERIVED) & set(tables) else set())
        needed |= {"areas"} if "selection" in needed else set()
        for table in [table for table in made_by(config) if table in needed]:
            made = paths.TABLE.at(study=config["study"], experiment=experiment, table=table)
            figures = figures_of(config, experiment, table)
            yield Job(DERIVED_BY.get(table, "collect"), made.name, made["table"], figures)


def _ends(config: Mapping) -> Iterator[Job]:
    study = config["study"]
    for figure in config["figures"]:
        made = paths.FIGURE.at(study=study, figure=figure)
        yield Job(figure, made.name, made["png"], (figure,))
    made = paths.CLAIMS.at(study=study)
    yield Job("check_claims", made.name, made["csv"], ())
