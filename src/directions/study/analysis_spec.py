"""What an analysis declares about itself; schema, rule, job list, DVC stage, cost and documentation follow.

An analysis is one file with a dataclass `Settings`, `SPEC` and `observe(trained, settings)`, which returns
its table. Snakemake imports the file while it plans, so whatever needs PyTorch or pandas is imported inside
`observe`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, is_dataclass
from typing import Any, Protocol

from directions.core.columns import Table, amount, count, share, text
from directions.core.types import Count
from directions.interventions.layer_selection import chosen_layers
from directions.study import settings as declared
from directions.study.settings import one_of, setting, whole, whole_or_all

SPLIT = text("split", "the images used for the measurement, train or test")
LAYER = text("layer", "name of the layer")
UNIT = count("unit", "index of the unit within the layer, from 0")
ABLATED = (
    count("ablated", "number of units clamped"),
    count("units", "number of units in the ablated layers"),
    SPLIT,
)
SCORED = (
    amount("loss", "with these units clamped", empty=True),
    share("accuracy", "likewise"),
    share("accuracy_top5", "likewise, for data sets with more than ten classes", optional=True),
)
NORM_IMAGES = count(
    "norm_images",
    "images that batch norm normalised together, by their own statistics; empty: by those kept from training",
    empty=True,
    optional=True,
)
SCORED_IMAGES = count(
    "scored_images", "images scored, drawn at random from the split; empty: all", empty=True, optional=True
)


class Sizes(Protocol):
    """What a cost is computed from: sizes of a network and of its training."""

    @property
    def layers(self) -> Mapping[str, int]:
        """{unit layer: units}."""

    @property
    def checkpoints(self) -> int:
        """Number of checkpoints that training keeps."""

    def curve(self, layers: list[str]) -> float:
        """Return the fraction of a whole forward pass that one point of a curve over these layers costs."""


@dataclass(frozen=True)
class AnalysisSpec(Table):
    """The declaration of an analysis and its table.

    Attributes:
        table: name of its table and of the folder of its results.
        rows: what one row of the table is.
        settings: a frozen dataclass of `setting` fields. Their defaults are for networks of your own, and for
            a study that sets no other value.
        columns: those that `observe` returns, before the key columns are added.
        cost: (settings, sizes) to the number of forward passes over the images, and the fraction of the
            multiplications of a pass that each of them costs.
        resumes: an interrupted job resumes from a snapshot.
        checkpoints: it reads the checkpoints of training, so it is not offered for networks of your own.
        start: it reads the weights before training among them.

    Raises:
        TypeError: if `settings` is no dataclass of `setting` fields.

    Example:
        >>> from dataclasses import dataclass
        >>> from directions.core.columns import share
        >>> from directions.study.analysis_spec import LAYER, SPLIT, UNIT, AnalysisSpec, split_setting
        >>> from directions.study.settings import setting, whole
        >>> @dataclass(frozen=True)
        ... class Settings:
        ...     split: str = split_setting("test")
        ...     bins: int = setting(20, "bins of equal frequency", whole(2))
        >>> spec = AnalysisSpec(
        ...     table="sparseness",
        ...     rows="one row per unit",
        ...     settings=Settings,
        ...     columns=(LAYER, UNIT, SPLIT, share("active_share", "fraction of images that activate it")),
        ...     cost=lambda settings, sizes: (1, 1.0),  # one forward pass over the images, all of it
        ... )
        >>> spec.defaults
        {'split': 'test', 'bins': 20}
        >>> spec.read({"bins": 5})
        Settings(split='test', bins=5)
    """

    settings: type
    cost: Callable[[Any, Sizes], tuple[float, float]]
    resumes: bool = True
    checkpoints: bool = False
    start: bool = False

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.settings, type) or not is_dataclass(self.settings):
            found = getattr(self.settings, "__name__", type(self.settings).__name__)
            raise TypeError(f"settings must be a dataclass of setting(default, help, values), not {found}")
        declared.settings_of(self.settings)

    @property
    def defaults(self) -> dict[str, object]:
        """{setting: default} of all settings but those that may be left out."""
        return declared.defaults(self.settings)

    def read(self, given: Mapping[str, object]) -> Any:
        """Build the settings from plain data; raises InputError as `settings.read` does."""
        return declared.read(self.settings, given)

    def run(self, observe: Callable[[Any, Any], Any], trained: Any, given: Mapping[str, object]) -> Any:
        """Return the table that `observe` makes of a trained network with these settings, plain data.

        Raises InputError for settings that do not exist, and for a table that is not as declared.
        """
        made = observe(trained, self.read(given))
        self.check(made)
        return made

    def schema(self) -> dict[str, object]:
        """Return the closed JSON Schema of its block in a config."""
        properties = declared.properties(self.settings)
        return {
            "type": "object",
            "description": "{" + ", ".join(properties) + "}",
            "additionalProperties": False,
            "properties": properties,
        }


LAYERS = {
    "anyOf": [
        {"const": "all"},
        {"type": "integer", "minimum": 1, "maximum": 1_000_000_000},
        {"type": "array", "minItems": 1, "uniqueItems": True, "items": {"type": "string", "minLength": 1}},
    ],
    "description": "all, or a whole number >= 1 (that many last layers), or a list of layers by name or"
    " pattern, such as [relu1, block16.*]",
}


def split_setting(default: str) -> Any:
    """Declare on which images, "train" or "test", an analysis measures.

    Args:
        default: one of the two.

    Returns:
        A field for a dataclass of settings, as of `setting`.

    Example:
        >>> from dataclasses import dataclass
        >>> from directions.study.analysis_spec import split_setting
        >>> @dataclass(frozen=True)
        ... class Settings:
        ...     split: str = split_setting("test")
        >>> Settings().split
        'test'
    """
    return setting(default, "images to score, with their labels", one_of("train", "test"))


@dataclass(frozen=True)
class CurveSettings:
    """Settings of analyses that compute cumulative ablation curves (section 3.1).

    Attributes:
        split: images to score, "train" or "test".
        layers: layers whose units are ablated together: "all", that many last ones, or names and patterns.
        orderings: number of random orders of the units.
        points: number of points of a curve, or "all" for one at every number of units.
        precision: "float32" or "bf16".

    Example:
        >>> from dataclasses import dataclass
        >>> from directions.study.analysis_spec import CurveSettings
        >>> from directions.study.settings import one_of, setting
        >>> @dataclass(frozen=True)
        ... class Settings(CurveSettings):
        ...     clamp: str = setting("zero", "value of ablated units", one_of("zero", "mean"))
        >>> Settings(points=5)
        Settings(split='train', layers='all', orderings=10, points=5, precision='float32', clamp='zero')
    """

    split: str = split_setting("train")
    layers: int | str | list[str] = setting("all", "layers whose units are ablated together", LAYERS)
    orderings: int = setting(10, "random orders of the units, one curve each", whole(1))
    points: Count = setting(17, "points of a curve, evenly spaced from no unit to all", whole_or_all(2))
    precision: str = setting("float32", "number format of the forward passes", one_of("float32", "bf16"))


def curve_cost(settings: CurveSettings, sizes: Sizes) -> tuple[float, float]:
    """Return the points of one set of curves, and the fraction of a forward pass that each of them costs."""
    layers = chosen_layers(list(sizes.layers), settings.layers)
    units = sum(sizes.layers[name] for name in layers)
    points = units if settings.points == "all" else settings.points
    return settings.orderings * points, sizes.curve(layers)
