"""Figure 5a: ablation curves of networks trained with dropout, on true and on corrupted labels."""

from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from directions.core.tables import Tables, require
from directions.figures import curves, overlay, style, text
from directions.figures.curves import Group

SIDES = (
    ("true labels", 0.0, "original"),
    ("corrupted labels", 1.0, "corrupted"),
)  # our name, fraction, the paper's name
PALEST = 0.45  # strength of the colour for the smallest dropout fraction


def draw(tables: Tables, study: str) -> Figure:
    """Draw mean and SD band per dropout fraction and kind of labels; dotted: that fraction (section 3.3).

    Reads tables runs, ablation, areas and, if given, paper. Raises InputError naming a table or column that
    is missing or empty.
    """
    runs = require(tables, "runs", "run", "dropout", "corrupt", "units")
    rates = sorted(runs["dropout"].unique())
    groups = []
    for side, corrupt, theirs in SIDES:
        for place, rate in enumerate(rates):
            mine = runs[(runs["dropout"] == rate) & (runs["corrupt"] == corrupt)]
            if len(mine):
                label = f"{side.removesuffix(' labels')}, {rate:g}"
                behind = overlay.of(tables, "ablated", "accuracy", dropout=rate, labels=theirs)
                groups.append(Group(label, shade(side, place, len(rates)), list(mine["run"]), paper=behind))
    more = ("Dotted uprights: that share of units, as dropout left out in training.",)
    heading = "labels, dropout fraction"
    figure = curves.cumulative(tables, study, groups, heading, "fig5a", more=more, above=" ")
    units = text.only(runs, "units")
    for rate in rates:
        if rate > 0:
            _upright(figure.axes[0], rate * units, f"{rate:g}")
    return figure


def shade(side: str, place: int, number: int) -> style.Colour:
    """Return the colour for a kind of labels, paler for smaller dropout fractions; `place` from 0."""
    strength = 1 - (1 - PALEST) * (1 - (place + 1) / number) if number > 1 else 1
    red, green, blue = (1 - strength * (1 - part) for part in to_rgb(style.colour(side)))
    return red, green, blue


def _upright(axes, place: float, label: str) -> None:
    with style.look():
        axes.axvline(place, color=style.colour("chance"), linestyle=":", linewidth=0.9, zorder=1)
        axes.text(place, 1.02, label, transform=axes.get_xaxis_transform(), ha="center", fontsize=style.SMALL)
