"""The tables that no analysis makes, and the columns that scripts/collect.py puts in front of all others."""

from directions.core.columns import Column, Kind, Table, amount, count, share, text
from directions.study.analysis_spec import NORM_IMAGES, SCORED_IMAGES
from directions.study.settings import settings_of
from directions.study.training_settings import OF_USER_MODEL, VARIABLE, TrainingSettings

KINDS: dict[str, Kind] = {
    "number": "number",
    "integer": "whole",
    "boolean": "truth",
}  # of JSON; all else is text
TOP5 = "for data sets with more than ten classes"


def _setting(name: str) -> Column:
    """Declare the column of a training setting; it is empty where the network does not read the setting."""
    declared = settings_of(TrainingSettings)[name].metadata
    named = declared["values"].get("type", "")
    kind = KINDS.get(named if isinstance(named, str) else named[0], "text")
    return Column(name, declared["help"], kind, empty=True, optional=True)


EXPERIMENT = text("experiment", "`mnist_corruption`, ...; `own` for networks of your own")
RUN = text("run", "the network")
VARIED = tuple(map(_setting, VARIABLE))
KEYS = (EXPERIMENT, RUN, *VARIED)  # of a collected table
SETTINGS = tuple(_setting(name) for name in settings_of(TrainingSettings) if name != "test_images")

RUNS = Table(
    "runs",
    "one row per network",
    (
        EXPERIMENT,
        RUN,
        text("network", "its name (own networks)", optional=True),
        count("classes", "number of classes of the data set"),
        count("train_images, test_images", "number of images used"),
        count("layers", "number of layers with units (own networks)", optional=True),
        count(
            "units",
            "number of hidden units or feature maps behind all activations, whichever an analysis covers;"
            " empty if a user's model hides them",
            empty=True,
        ),
        text("units_by_layer", "such as `relu1 512; relu2 512` (own networks)", optional=True),
        count("parameters", "number of weights"),
        share(
            "changed_share",
            "fraction of training labels that differ from the true ones; a corrupted label can equal the true"
            " class by chance",
            optional=True,
        ),
        amount("train_loss", "at the end of training, on the labels used in training"),
        share("train_accuracy", "likewise"),
        amount("test_loss", "at the end of training; empty without a test set", empty=True),
        share("test_accuracy", "likewise", empty=True),
        share("train_accuracy_top5, test_accuracy_top5", TOP5, optional=True),
        *SETTINGS,
        text(", ".join(OF_USER_MODEL), "function and its digest (own models)", optional=True),
    ),
)
HISTORY = Table(
    "history",
    "training, epoch by epoch",
    (
        *KEYS,
        count("epoch", "epochs finished"),
        amount("train_loss, test_loss", "after that epoch, without dropout"),
        share("train_accuracy, test_accuracy", "likewise"),
        share("train_accuracy_top5, test_accuracy_top5", TOP5, optional=True),
    ),
)
AREAS = Table(
    "areas",
    "one row per curve of `ablation`",
    (
        *KEYS,
        text("clamp", "which curve"),
        count("ordering", "likewise"),
        share(
            "auc",
            "area under accuracy over the fraction of units ablated, which is the mean accuracy along the"
            " curve: 1 if every image stays correctly classified (D9)",
        ),
        amount(
            "auc_relative",
            "`auc` divided by the accuracy with nothing ablated (empty if 0): 1 if accuracy never falls",
            empty=True,
        ),
        Column("auc_chance_corrected", "0 for guessing, 1 for no errors", high=1, empty=True),
        amount(
            "auc_se",
            "standard error of the mean `auc` over the orderings of this clamp (own networks); empty for one",
            empty=True,
            optional=True,
        ),
        share("auc_top5", f"the same for `accuracy_top5`, {TOP5}", optional=True),
        amount("auc_relative_top5", "likewise", empty=True, optional=True),
        Column("auc_chance_corrected_top5", "likewise", high=1, empty=True, optional=True),
        NORM_IMAGES,
        SCORED_IMAGES,
    ),
)
SELECTION = Table(
    "selection",
    "one row per random half of the settings of a sweep",
    (
        EXPERIMENT,
        count("subset", "index of the half, from 0"),
        count("settings", "number of settings in it"),
        share("picked_auc", "area of the setting with the largest area"),
        share("picked_accuracy", "its test accuracy"),
        share("best_accuracy", "best test accuracy in the half"),
        share("gap", "how far the pick falls short of it"),
        count("rank", "rank of the pick by test accuracy: 1 if none is better"),
    ),
)
CLAIMS = Table(
    "claims",
    "one row per claim, in `results/{study}/tables/claims.csv`",
    (
        text("id, figure, claim", "name, figure of the paper, and the claim as a plain sentence"),
        text("kind", "direction, value or shape: see [claims.csv](../data/paper/README.md)"),
        text("statistic", "what is computed"),
        text("condition", "the networks, curve or layer, if the statistic needs one", empty=True),
        text("experiment", "the experiment tested"),
        text("tested_on", "its networks", empty=True),
        Column("estimate, low, high", "our number and its 95 % interval", empty=True),
        count("networks", "number of networks (in the smallest group)", empty=True),
        text("direction", "the claimed side: above or below the bound; equal for a value"),
        Column("bound", "of a direction or shape", empty=True),
        Column("paper_value, paper_error", "the paper's number, half of its 95 % interval", empty=True),
        Column("tolerance", "the additional difference that we allow", empty=True),
        text("verdict", "reproduced or not, and why it cannot be said"),
        text("note", "the reason for the verdict, where one is needed", empty=True),
        text("certainty", "how sure we are that the paper says so"),
        text("origin", "the place in the paper, or the source of the number"),
    ),
)
COLLECTED = {"runs": RUNS, "history": HISTORY}  # from training, by scripts/collect.py
