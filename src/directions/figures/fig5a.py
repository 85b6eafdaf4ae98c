"""Figure 5a: ablation curves of networks trained with dropout, on true and on corrupted labels."""

from matplotlib.figure import Figure

from directions.figures import curves, style, words
from directions.figures.curves import Group
from directions.tidy import Tables, require

LINES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
SIDES = (("true labels", 0.0), ("corrupted labels", 1.0))


def draw(tables: Tables, study: str) -> Figure:
    """Mean and SD band per dropout fraction and kind of labels; dashed: the dropout fraction (section 3.3).

    Reads tables runs, ablation, areas. Raises InputError naming a table or column that is missing or empty.
    """
    runs = require(tables, "runs", "run", "dropout", "corrupt", "units")
    rates = sorted(runs["dropout"].unique())
    groups = []
    for side, corrupt in SIDES:
        for place, rate in enumerate(rates):
            mine = runs[(runs["dropout"] == rate) & (runs["corrupt"] == corrupt)]
            if len(mine):
                label = f"{side.removesuffix(' labels')}, {rate:g}"
                groups.append(Group(label, style.colour(side), list(mine["run"]), LINES[place % len(LINES)]))
    more = ("Dashed uprights: that share of units, as dropout left out in training.",)
    heading = "labels, dropout fraction"
    figure = curves.cumulative(tables, study, groups, heading, more=more, above=" ")
    units = words.only(runs, "units")
    for rate in rates:
        if rate > 0:
            _upright(figure.axes[0], rate * units, f"{rate:g}")
    return figure


def _upright(axes, place: float, label: str) -> None:
    with style.look():
        axes.axvline(place, color=style.colour("chance"), linestyle="--", linewidth=0.9, zorder=1)
        axes.text(place, 1.02, label, transform=axes.get_xaxis_transform(), ha="center", fontsize=style.SMALL)
