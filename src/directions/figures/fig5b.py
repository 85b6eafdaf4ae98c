"""Figure 5b: ablation curves of networks with and without batch norm."""

from matplotlib.figure import Figure

from directions.core.tables import Tables, require
from directions.figures import curves, overlay, style, text
from directions.figures.curves import Group


def draw(tables: Tables, study: str) -> Figure:
    """Draw mean and SD band over orderings and networks, with and without batch norm (section 3.3).

    Above: the difference of their areas with a 95 % interval. Reads tables runs, ablation, areas and, if
    given, paper. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "batch_norm", "test_accuracy")
    normed = text.truths(runs["batch_norm"])
    groups, reached = [], []
    for name, mine, side in (
        ("batch norm", runs[normed], "with"),
        ("no batch norm", runs[~normed], "without"),
    ):
        if len(mine):
            theirs = overlay.of(tables, "ablated", "accuracy", batch_norm=side)
            groups.append(Group(name, style.colour(name), list(mine["run"]), paper=theirs))
            reached.append(f"{name} {mine['test_accuracy'].mean():.3f}")
    more = (f"Test accuracy, unablated: {', '.join(reached)}.",)
    above = curves.difference(tables, "auc_batch_norm_difference", "fig5b_batch_norm_above", "with − without")
    return curves.cumulative(tables, study, groups, "networks", "fig5b", columns=1, more=more, above=above)
