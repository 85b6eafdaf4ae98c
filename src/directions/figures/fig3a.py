"""Figure 3a: ablation curves of the networks that generalise best and worst."""

from matplotlib.figure import Figure

from directions.figures import curves, networks, style
from directions.figures.curves import Group
from directions.tidy import Tables

EACH = 5  # section 3.1: the five best and the five worst


def draw(tables: Tables, study: str) -> Figure:
    """Mean and SD band over the best, and over the worst networks, by 1 - test accuracy (section 3.2, D23).

    With fewer than 15 networks a third of them on each side. Reads tables runs, ablation, areas. Raises
    InputError naming a table or column that is missing or empty.
    """
    chosen, which = networks.knowing(networks.areas_of_networks(tables))
    ranked = chosen.sort_values(["error", "run"])
    number = max(1, min(EACH, len(ranked) // 3))
    groups = []
    for name, some in (("best", ranked.head(number)), ("worst", ranked.tail(number))):
        low, high = some["error"].min(), some["error"].max()
        label = f"{number} {name} (error {low:.4f} to {high:.4f})"
        groups.append(Group(label, style.colour(name), list(some["run"])))
    return curves.cumulative(tables, study, groups, "generalisation error", columns=1, more=(which,))
