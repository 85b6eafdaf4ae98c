"""Redundancy and synergy of pairs of units about the class, against the dropout fraction."""

from matplotlib.figure import Figure

from directions.core.tables import Tables, require
from directions.figures import redundancy, shared_units, style

SHOWN = ("redundancy", "synergy")


def draw(tables: Tables, study: str) -> Figure:
    """Draw redundancy (left) and synergy (right) less their null, of clean and memorising networks.

    Reads tables runs, pairs. Raises InputError naming a table or column that is missing or empty.
    """
    require(tables, "runs", "dropout")
    columns = [f"{part}_bits" for part in SHOWN] + [f"{part}_null_bits" for part in SHOWN]
    networks = shared_units.of_networks(tables, "pairs", *columns)
    layout = style.Layout(redundancy.notes(tables, networks), 2, SHOWN, style.WIDE)
    with style.look():
        figure, panels = style.panels(tables, study, layout)
        for axes, part in zip(panels, SHOWN, strict=True):
            for fraction in shared_units.fractions(networks):
                mine = networks[networks["corrupt"] == fraction]
                look = {"color": style.corruption_colour(fraction), "label": f"{fraction:g}"}
                redundancy.less_null(axes, mine, part, "dropout", fmt="o-", **look)
            axes.set(xlabel="dropout fraction", ylabel="information about the class (bits)", ylim=(0, None))
        style.legend(figure, panels[0], layout, 6, "fraction of labels corrupted")
    return figure
