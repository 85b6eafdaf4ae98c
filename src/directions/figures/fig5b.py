"""Figure 5b: ablation curves of networks with and without batch norm."""

from matplotlib.figure import Figure

from directions.figures import curves, style, words
from directions.figures.curves import Group
from directions.tidy import Tables, require


def draw(tables: Tables, study: str) -> Figure:
    """Mean and SD band over orderings and networks, with and without batch norm (section 3.3).

    Reads tables runs, ablation, areas. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "batch_norm", "test_accuracy")
    normed = words.truths(runs["batch_norm"])
    groups, reached = [], []
    for name, mine, line in (("batch norm", runs[normed], "-"), ("no batch norm", runs[~normed], "--")):
        if len(mine):
            groups.append(Group(name, style.colour(name), list(mine["run"]), line))
            reached.append(f"{name} {mine['test_accuracy'].mean():.3f}")
    more = (f"Test accuracy, unablated: {', '.join(reached)}.",)
    return curves.cumulative(tables, study, groups, "networks", columns=1, more=more)
