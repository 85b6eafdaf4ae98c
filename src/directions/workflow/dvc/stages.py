"""A study as a DVC pipeline: its products in the order in which they are made, grouped into stages.

A stage is a unit that makes sense to a reader: the networks of an experiment, one analysis of them, a table,
a figure. tests/dvc/test_pipeline.py checks paths and dependencies against the Snakemake rules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from directions.core.errors import InputError
from directions.core.files import md5
from directions.core.source_files import OWN, Known, code_of
from directions.study import config, paths
from directions.study.catalogue import DERIVED, FIGURES, code_of_analysis, made_by, paper_files, specs
from directions.study.deciding_files import SCRIPTS, paper_of
from directions.study.fingerprints import Ancestry, digest
from directions.study.run_table import expand, labels, labels_name

ONE = "asked"  # the item of a stage that makes a single product


@dataclass(frozen=True)
class Product:
    """A file that the study makes, with its stage, its item within the stage, and its inputs.

    `asked` is the digest of its job's settings and of all settings upstream; `needs` lists other products.
    """

    path: str
    stage: str
    item: str  # a network or a label ledger; "asked" if the stage makes a single product
    asked: str
    needs: tuple[str, ...]


@dataclass(frozen=True)
class Stage:
    """Products of one kind of job with the same code; `code` also lists files of the paper's numbers."""

    name: str
    code: tuple[str, ...]  # files that git tracks
    products: tuple[Product, ...]
    code_digest: str  # "" if a RECIPE number stands for the code (see recipe.py)

    @property
    def needs(self) -> list[str]:
        """Products of other stages that this one reads, each once."""
        return list(dict.fromkeys(path for product in self.products for path in product.needs))

    @property
    def asked(self) -> dict[str, str]:
        """{item: fingerprint of its job} and, under "code", the digest of the code."""
        code = {"code": self.code_digest} if self.code else {}
        return code | {product.item: product.asked for product in self.products}


class Study:
    """Stages and products that the figures and claims of a study need, upstream first."""

    def __init__(self, chosen: dict, root: Path):
        """Take the config from `config.load`. Raises InputError if the data lie outside `root`."""
        if PurePosixPath(chosen["data_root"]).is_absolute() or ".." in Path(chosen["data_root"]).parts:
            raise InputError(
                f"data_root: {chosen['data_root']} is outside this folder, where DVC cannot track files:"
                " share from a checkout with `data_root: data` (data/raw may be a link)"
            )
        self.name: str = chosen["study"]
        self.figures: list[str] = chosen["figures"]
        stages = list(_Stages(chosen, root).all())
        made = {product.path: product for stage in stages for product in stage.products}
        targets = [path for path, product in made.items() if product.stage in (*self.figures, "claims")]
        needed = {(made[path].stage, made[path].item) for path in _with_upstream(made, targets)}
        kept = {path for path, one in made.items() if (one.stage, one.item) in needed}  # all that a job makes
        self.stages: dict[str, Stage] = {}
        for stage in stages:
            if products := tuple(product for product in stage.products if product.path in kept):
                self.stages[stage.name] = replace(stage, products=products)
        self.products = {path: product for path, product in made.items() if path in kept}

    def upstream(self, paths: list[str]) -> set[str]:
        """Return these products and all their inputs, direct or not."""
        return _with_upstream(self.products, paths)

    def of_stages(self, names: list[str]) -> list[str]:
        """Return the paths of these stages' products. Raises InputError for a name that does not exist."""
        for name in names:
            if name not in self.stages:
                known = ", ".join([*self.figures, "claims"])
                raise InputError(f"the {self.name} study has no {name!r}: it has {known}")
        return [product.path for name in names for product in self.stages[name].products]

    def targets(self, names: list[str]) -> list[str]:
        """Return Snakemake's targets: a figure by its name, others by their files; "all" for no names."""
        rules = [[name] if name in self.figures else self.of_stages([name]) for name in names]
        return [target for targets in rules for target in targets] or ["all"]


def load(root: Path, study: str | None = None) -> Study:
    """Load the study of config.yaml, or another of configs/. Raises InputError for an invalid config."""
    given = config.read_yaml(root / "config.yaml")
    return Study(config.load(given | ({"study": study} if study else {}), root), root)


def _with_upstream(made: Mapping[str, Product], paths: list[str]) -> set[str]:
    found, waiting = set(), list(paths)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting += made[path].needs
    return found


class _Stages:
    """All stages that the config defines, needed by a figure or not."""

    def __init__(self, chosen: dict, root: Path):
        self.config, self.root = chosen, root
        self.study = chosen["study"]
        self.runs = expand(chosen)
        self.ancestry = Ancestry(chosen)
        self.specs = specs(chosen)
        self.imported: Known = {}

    def all(self) -> Iterator[Stage]:
        ledgers = labels(self.runs)
        for dataset in ledgers:
            row = self.product(self.data(dataset), ONE, (), "data", dataset=dataset)
            yield self.stage(f"data-{dataset}", [row])
        for dataset, names in ledgers.items():
            rows = [
                self.product(path, name, [self.data(dataset)], "labels", dataset=dataset, labels=name)
                for name, path in ((name, self.ledger(dataset, name)) for name in names)
            ]
            yield self.stage(f"labels-{dataset}", rows)
        for experiment in self.runs:
            yield self.stage(f"models-{experiment}", self.networks(experiment))
        for experiment in self.runs:
            for analysis in self.config["experiments"][experiment]["analyses"]:
                rows = self.analysis(experiment, analysis)
                name = f"{self.specs[analysis].table}-{experiment}"
                where = code_of_analysis(analysis, self.config)
                yield self.stage(name, rows, "analyse", *where, *self.units_code(experiment))
        for experiment, tables in self.config["tables"].items():
            yield from (self.table_stage(experiment, table) for table in self.in_order(tables))
        for figure in self.config["figures"]:
            yield self.figure_stage(figure)
        yield self.claims_stage()

    def stage(self, name: str, products: list[Product], script: str = "", *modules: str, files=()) -> Stage:
        """Make a stage of these products; `script` is empty if a RECIPE number stands for the code."""
        path = f"scripts/{script}.py"
        code = [*files, *(code_of(path, self.root, modules, self.imported) if script else ())]
        content = {path: md5((self.root / path).read_bytes()) for path in code}
        rows = tuple(replace(product, stage=name) for product in products)
        return Stage(name, tuple(code), rows, digest(content) if code else "")

    def product(self, path: str, item: str, needs, stage: str, **names: str) -> Product:
        return Product(path, "", item, digest(self.ancestry.asked(stage, **names)), tuple(needs))

    def data(self, dataset: str) -> str:
        return paths.DATA.at(data_root=self.config["data_root"], dataset=dataset)["data"]

    def ledger(self, dataset: str, name: str) -> str:
        return paths.LABELS.at(study=self.study, dataset=dataset, labels=name)["ledger"]

    def network(self, experiment: str, run: str, name: str) -> str:
        return paths.NETWORK.at(study=self.study, experiment=experiment, run=run)[name]

    def table(self, experiment: str, name: str) -> str:
        return paths.TABLE.at(study=self.study, experiment=experiment, table=name)["table"]

    def examples(self, experiment: str, run: str) -> list[str]:
        """Return the data files that a network is trained and measured on."""
        settings = self.runs[experiment][run]
        dataset = settings["dataset"]
        return [self.data(dataset), self.ledger(dataset, labels_name(settings))]

    def networks(self, experiment: str) -> list[Product]:
        return [
            self.product(
                self.network(experiment, run, name), run, self.examples(experiment, run), "train",
                experiment=experiment, run=run,
            )
            for run in self.runs[experiment] for name in paths.NETWORK.products
        ]  # fmt: skip

    def analysis(self, experiment: str, analysis: str) -> list[Product]:
        rows = []
        for run in self.runs[experiment]:
            files = ("model", "checkpoints") if self.specs[analysis].checkpoints else ("model",)
            needs = [self.network(experiment, run, name) for name in files] + self.examples(experiment, run)
            table = self.specs[analysis].table
            path = paths.MEASURED.at(study=self.study, table=table, experiment=experiment, run=run)["table"]
            rows.append(self.product(path, run, needs, analysis, experiment=experiment, run=run))
        return rows

    def units_code(self, experiment: str) -> list[str]:
        """Name the module that finds the units of users' models, if the experiment trains any."""
        models = {settings["model"] for settings in self.runs[experiment].values()}
        return [OWN] if models & set(self.config["models"]) else []

    def in_order(self, tables: list[str]) -> list[str]:
        """Add the tables that these are derived from, and sort inputs first."""
        wanted = set(tables) | {upper for table in tables for upper in DERIVED.get(table, ())}
        wanted |= {upper for table in wanted for upper in DERIVED.get(table, ())}
        order = list(made_by(self.config))
        return sorted(wanted, key=lambda table: (table in DERIVED, order.index(table)))

    def table_stage(self, experiment: str, table: str) -> Stage:
        path, name = self.table(experiment, table), f"table-{experiment}-{table}"
        if table in DERIVED:
            needs = [self.table(experiment, upper) for upper in DERIVED[table]]
            row = self.product(path, ONE, needs, table, experiment=experiment)
            return self.stage(name, [row], SCRIPTS[table])
        collected, names = paths.collected(table), {"study": self.study, "experiment": experiment}
        needs = [paths.fill(collected, run=run, **names) for run in self.runs[experiment]]
        asked = {"experiment": experiment, "table": table}
        return self.stage(name, [self.product(path, ONE, needs, "collect", **asked)], "collect")

    def tables_of(self, figure: str) -> list[str]:
        return [self.table(self.config["draw"][figure], table) for table in FIGURES[figure]]

    def figure_stage(self, figure: str) -> Stage:
        made, tables = paths.FIGURE.at(study=self.study, figure=figure), self.tables_of(figure)
        rows = [self.product(path, ONE, tables, "figure", figure=figure) for path in made.products.values()]
        behind = paper_files(figure, self.config["paper_curves"])
        return self.stage(figure, rows, "plot_figure", f"directions.figures.{figure}", files=behind)

    def claims_stage(self) -> Stage:
        needs = dict.fromkeys(path for figure in self.config["figures"] for path in self.tables_of(figure))
        made = paths.CLAIMS.at(study=self.study)
        rows = [self.product(path, ONE, needs, "claims") for path in made.products.values()]
        return self.stage("claims", rows, "check_claims", files=paper_of("claims", self.config))
