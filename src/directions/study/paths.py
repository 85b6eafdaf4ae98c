"""Where the products of a study lie, and the log and run time of the job that makes them.

The templates have Snakemake's wildcards. Rules use them directly; job list and DVC stages fill them in.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Place:
    """Products of one kind of job. name: of its log below logs/ and of its run time below benchmarks/."""

    name: str
    products: dict[str, str] = field(default_factory=dict)

    @property
    def log(self) -> str:
        return f"logs/{self.name}.log"

    @property
    def benchmark(self) -> str:
        return f"benchmarks/{self.name}.tsv"

    def __getitem__(self, product: str) -> str:
        return self.products[product]

    def at(self, **names: str) -> "Place":
        """Fill in some wildcards, or all.

        >>> CLAIMS.at(study="quick").log
        'logs/quick/claims.log'
        """
        products = {key: fill(template, **names) for key, template in self.products.items()}
        return Place(fill(self.name, **names), products)


def fill(template: str, **names: str) -> str:
    """Fill in wildcards; those without a value stay.

    >>> fill("results/{study}/{table}", study="quick")
    'results/quick/{table}'
    """
    for name, value in names.items():
        template = template.replace(f"{{{name}}}", value)
    return template


def _below(folder: str, **files: str) -> Place:
    return Place(folder, {key: f"results/{folder}{file}" for key, file in files.items()})


DATA = Place("prepare_data/{dataset}", {"data": "{data_root}/{dataset}.safetensors"})
LABELS = _below("{study}/labels/{dataset}/{labels}", ledger=".parquet")
NETWORK = _below(
    "{study}/models/{experiment}/{run}",
    model="/model.safetensors",
    checkpoints="/checkpoints.safetensors",
    history="/history.csv",
    record="/record.json",
)
MEASURED = _below("{study}/{table}/{experiment}/{run}", table=".csv")  # by one analysis of one network
TABLE = _below("{study}/tables/{experiment}/{table}", table=".csv")
FIGURE = _below("{study}/figures/{figure}", pdf=".pdf", png=".png")
CLAIMS = Place(
    "{study}/claims",
    {"csv": "results/{study}/tables/claims.csv", "json": "results/{study}/tables/claims.json"},
)

COLLECTED = {"runs": NETWORK["record"], "history": NETWORK["history"]}  # tables collected from training


def collected(table: str) -> str:
    """Return the file of each network from which a table is collected."""
    return COLLECTED.get(table) or fill(MEASURED["table"], table=table)
