"""The training settings: the one list from which schema, run names and documentation follow."""

from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from functools import partial

from directions.core.types import Count
from directions.study import settings as declared
from directions.study.settings import Values, number, one_of, or_null, setting, whole, whole_or_all

OF_USER_MODEL = ("build", "code")  # a run's settings also hold these: see `fingerprints.written`

NAME: Values = {"enum": []}  # schema.py lists the names, as a config may add some
SWITCH: Values = {"type": "boolean", "description": "true or false"}
BELOW_ONE = number("a number >= 0 and < 1", minimum=0, exclusiveMaximum=1)
CHANNELS = number(
    "a number > 0 (1.0: the paper's numbers of channels), at most 1000", exclusiveMinimum=0, maximum=1000
)
ACCURACY = number("a share > 0 and <= 1, or null", exclusiveMinimum=0, maximum=1)
WIDTHS: Values = {
    "type": "array", "minItems": 1, "items": whole(1, most=10**6),
    "description": "a list of layer widths such as [512, 512]",
}  # fmt: skip
EPOCHS: Values = {
    "type": "array", "uniqueItems": True, "items": whole(0),
    "description": "a list of epochs, each once (0: before training)",
}  # fmt: skip
INIT: Values = {
    "enum": ["he", "glorot", "torch", None],
    "description": "he, glorot or torch (what torch draws); null for models that do not read it",
}

METHODS: Values = {
    "enum": ["cross_entropy", "mae", "limit", None],
    "description": "cross_entropy, mae or limit; null: cross_entropy",
}  # fmt: skip
LIMIT_LOSSES: Values = {
    "enum": ["gaussian", "laplace", None],
    "description": "gaussian or laplace; null for methods that do not read it",
}  # fmt: skip

_fixed = partial(setting, MISSING)
_varied = partial(setting, MISSING, vary=True)
_later = partial(setting, None, later=True)  # older studies lack it


@dataclass(frozen=True, kw_only=True)
class TrainingSettings:
    """The settings of one run; None: its model or optimizer does not read the setting, or it is null.

    The order of the fields is that of the settings in the names of runs: do not change it.
    """

    dataset: str = _varied("data set trained on", NAME)
    images: Count = _varied("training images wanted, drawn at random: all or so many", whole_or_all(1))
    test_images: Count = setting(
        "all", "test images wanted, drawn at random: all or so many", whole_or_all(1)
    )
    pad: int | None = _fixed("zero padding; not for mlp", whole(0, " (pixels on each side)", most=10**4))
    model: str = _varied("architecture", NAME)
    hidden: list[int] | None = _varied("widths of the hidden layers; mlp only", WIDTHS)
    init: str | None = _later("initialisation of the weights; mlp only", INIT, vary=True)
    width: float | None = _varied("factor on all numbers of channels; not for mlp", CHANNELS)
    batch_norm: bool | None = _varied("batch norm after every convolution; conv11 only", SWITCH)
    optimizer: str = _varied("optimizer", NAME)
    learning_rate: float = _varied("learning rate", number("a number > 0", exclusiveMinimum=0))
    momentum: float | None = _varied("momentum; sgd only", BELOW_ONE)
    weight_decay: float = _varied("weight decay", number("a number >= 0", minimum=0))
    batch: int = _varied("images per step", whole(1))
    norm_batch: int | None = _fixed(
        "images per group of training statistics of batch norm",
        or_null(whole(2, " (images), or null: the whole batch")),
    )
    epochs: int | None = _varied("passes over the training images", whole(1))
    steps: int | None = _fixed(
        "training steps, in place of epochs", or_null(whole(1, ", or null: as many as the epochs have"))
    )
    schedule: str = _fixed("learning rate over the steps; cosine: down to 0", one_of("constant", "cosine"))
    augment: bool = _fixed("random crops and mirroring of images that are streamed", SWITCH)
    precision: str = _fixed("number format of the matrix products", one_of("float32", "bf16"))
    dropout: float = _varied("fraction of hidden units dropped; mlp only", BELOW_ONE)
    method: str | None = _later(
        "what training minimises (docs/BEYOND.md): cross-entropy, the mean absolute error, or LIMIT's"
        " objective",
        METHODS,
        vary=True,
    )
    limit_loss: str | None = _later(
        "error of predicted gradients: squared (gaussian) or absolute (laplace); limit only",
        LIMIT_LOSSES,
        vary=True,
    )
    limit_lambda: float | None = _later(
        "weight of the squared size of predicted gradients; limit only",
        or_null(number("a number >= 0", minimum=0)),
        vary=True,
    )
    limit_sample: float | None = _later(
        "precision of gradients drawn around the predicted ones (Gaussian: 1 / (2 variance), Laplace: 1 /"
        " scale); null: they are not drawn; limit only",
        or_null(number("a number > 0", exclusiveMinimum=0)),
        vary=True,
    )
    limit_sum: bool | None = _later(
        "sum the classifier's gradient over the batch, as the released code does, instead of averaging it:"
        " with sgd, this multiplies the learning rate by the batch; limit only",
        or_null(SWITCH),
    )
    corrupt: float = _varied(
        "fraction of training images with shuffled labels",
        number("a share from 0 to 1", minimum=0, maximum=1),
    )
    seed: int = _varied("seed of labels, weights and order of images", whole(0, most=2**63 - 1))
    keep_epochs: list[int] = _fixed("epochs after which weights are kept", EPOCHS)
    keep_every: int | None = _later(
        "steps between further weights that are kept",
        or_null(whole(1, " (steps), or null: none but after keep_epochs")),
    )
    evaluate_every: int = _fixed("epochs between rows of the history", whole(1, " (epochs)"))
    require_train_accuracy: float | None = _fixed(
        "training accuracy below which training fails", or_null(ACCURACY)
    )


def _marked(mark: str) -> tuple[str, ...]:
    """Name the settings whose declaration has this mark."""
    known = declared.settings_of(TrainingSettings)
    return tuple(name for name, one in known.items() if mark in one.metadata)


VARIABLE = _marked("vary")  # what an experiment may vary, in the order of run names
OF_METHOD = ("method", "limit_loss", "limit_lambda", "limit_sample", "limit_sum")
LATER = _marked("later")  # left out of a run's settings if null, else every network would be trained again


def read(given: Mapping[str, object]) -> TrainingSettings:
    """Build the settings of a run from its JSON; raises InputError as `settings.read` does."""
    own = {name: value for name, value in given.items() if name not in OF_USER_MODEL}
    return declared.read(TrainingSettings, own)
