"""What an analysis declares about itself; schema, rule, job list, DVC stage, cost and documentation follow.

An analysis is one file with `SPEC` and `observe(trained, settings)`, which returns its table. Snakemake
imports the file while it plans, so whatever needs PyTorch or pandas is imported inside `observe`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from directions.interventions.layer_selection import chosen_layers

UNSET = object()  # the default of a setting that may be left out


@dataclass(frozen=True)
class Setting:
    """One setting of an analysis.

    values: JSON Schema of the values allowed; its `description` ends the error "allowed is ...". default: for
    networks of your own, and for a study that sets no other value; UNSET: the setting may be left out.
    """

    help: str
    values: Mapping[str, object]
    default: object = UNSET


class Sizes(Protocol):
    """What a cost is computed from: {unit layer: units}, and how many checkpoints training keeps."""

    layers: Mapping[str, int]
    checkpoints: int

    def curve(self, layers: list[str]) -> float:
        """Return the fraction of a whole forward pass that one point of a curve over these layers costs."""


@dataclass(frozen=True)
class AnalysisSpec:
    """The declaration of an analysis.

    table: name of its table and of the folder of its results. rows: what one row of the table is. columns:
    {names of columns in backquotes: meaning}, besides the key columns. cost: (settings, sizes) to the number
    of forward passes over the images, and the fraction of the multiplications of a pass that each of them
    costs. resumes: an interrupted job resumes from a snapshot. checkpoints: it reads the checkpoints of
    training, so it is not offered for networks of your own.
    """

    table: str
    rows: str
    settings: Mapping[str, Setting]
    columns: Mapping[str, str]
    cost: Callable[[Mapping, Sizes], tuple[float, float]]
    resumes: bool = True
    checkpoints: bool = False

    @property
    def defaults(self) -> dict[str, object]:
        """{setting: default} of all settings that have one."""
        return {name: one.default for name, one in self.settings.items() if one.default is not UNSET}

    def schema(self) -> dict[str, object]:
        """Return the closed JSON Schema of its block in a config."""
        return {
            "type": "object",
            "description": "{" + ", ".join(self.settings) + "}",
            "additionalProperties": False,
            "properties": {name: dict(one.values) for name, one in self.settings.items()},
        }


def shared(name: str) -> dict[str, str]:
    """Refer to values that several analyses share, in `$defs` of the config's schema."""
    return {"$ref": f"#/$defs/{name}"}


def whole(least: int) -> dict[str, object]:
    """Allow whole numbers from `least` on."""
    return {
        "type": "integer",
        "minimum": least,
        "maximum": 1_000_000_000,
        "description": f"a whole number >= {least}, at most 1e9",
    }


def above_zero(unit: str) -> dict[str, object]:
    """Allow numbers above 0."""
    return {"type": "number", "exclusiveMinimum": 0, "description": f"a number > 0 ({unit})"}


def curve_cost(settings: Mapping, sizes: Sizes) -> tuple[float, float]:
    """Return the points of one set of curves, and the fraction of a forward pass that each of them costs."""
    layers = chosen_layers(list(sizes.layers), settings["layers"])
    units = sum(sizes.layers[name] for name in layers)
    points = units if settings["points"] == "all" else settings["points"]
    return settings["orderings"] * points, sizes.curve(layers)


SPLIT = "images to score, with their labels"
TRAIN, TEST = Setting(SPLIT, shared("split"), "train"), Setting(SPLIT, shared("split"), "test")
CURVE = {
    "layers": Setting("layers whose units are ablated together", shared("layers"), "all"),
    "orderings": Setting("random orders of the units, one curve each", shared("orderings"), 10),
}
POINTS = Setting("points of a curve, evenly spaced from no unit to all", shared("curve_points"), 17)
PRECISION = Setting("number format of the forward passes", shared("precision"), "float32")
