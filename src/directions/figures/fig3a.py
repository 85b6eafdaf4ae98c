"""Figure 3a: ablation curves of the networks that generalise best and worst."""

from matplotlib.figure import Figure

from directions.claims.statistics.networks import best_and_worst
from directions.core.tables import Tables
from directions.figures import curves, networks, overlay, style
from directions.figures.curves import Group


def draw(tables: Tables, study: str) -> Figure:
    """Draw mean and SD band over the best and the worst networks, by 1 - test accuracy (section 3.2, D23).

    With fewer than 15 networks, a third of them on each side; above, the difference of their areas with a
    95 % interval. Reads tables runs, ablation, areas and, if given, paper. Raises InputError naming a table
    or column that is missing or empty.
    """
    chosen, which = networks.knowing(networks.areas_of_networks(tables))
    groups = []
    for name, some in zip(("best", "worst"), best_and_worst(chosen), strict=True):
        low, high = some["error"].min(), some["error"].max()
        label = f"{len(some)} {name} (error {low:.4f} to {high:.4f})"
        theirs = overlay.of(tables, "ablated", "accuracy", group=name)
        groups.append(Group(label, style.colour(name), list(some["run"]), paper=theirs))
    above = ""
    if chosen["trained"].all():  # otherwise the statistic would be about other networks
        above = curves.difference(tables, "auc_extremes_difference", "fig3a_best_above_worst", "best − worst")
    behind = [
        f"{group.paper['generalisation_error'].iloc[0]:.2f}" for group in groups if group.paper is not None
    ]
    more = (which, *((f"The paper's two curves: errors of {' and '.join(behind)}.",) if behind else ()))
    return curves.cumulative(
        tables, study, groups, "generalisation error", "fig3a", columns=1, more=more, above=above
    )
