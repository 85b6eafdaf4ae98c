"""Figure 3b: area under a network's ablation curve against its generalisation error."""

from matplotlib.figure import Figure

from directions.core.tables import Tables
from directions.figures import curves, networks, overlay, style, text


def draw(tables: Tables, study: str) -> Figure:
    """Draw one dot per network, coloured by learning rate: its area relative to the largest (section 3.2).

    A second panel has area / unablated accuracy, if that differs. The error is 1 - test accuracy (D23).
    Reads tables runs, ablation, areas and, if given, paper. Raises InputError naming a table or column that
    is missing or empty.
    """
    dots = networks.areas_of_networks(tables, "learning_rate", "test_images")
    ablation = curves.clamped(tables, "ablation", curves.CLAMP, "ordering", "ablated", "units")
    orderings = text.count(ablation.groupby("run")["ordering"].nunique(), "ordering")
    theirs = overlay.of(tables, "generalisation_error", "area_normalized")
    notes = (
        f"One dot per network ({len(dots)}): mean over {orderings}, training images; no error bars."
        f" {networks.largest(dots)}",
        f"Generalisation error: 1 − accuracy on {text.only(dots, 'test_images'):,} test images, not seen in "
        "training. Colours separate learning rates, which pooling mixes.",
        *networks.hollow(dots, ", in no correlation"),
        *((overlay.SHOWN["fig3b"],) if theirs is not None else ()),
    )
    shown, known = networks.shown_areas(dots), dots[dots["trained"]]
    pooled = tuple(f"pooled Spearman {networks.rho(known['error'], known[y])}" for y in shown)
    width, number = (style.WIDE, networks.RATE_COLUMNS) if len(shown) > 1 else (style.WIDTH, 2)
    behind = overlay.handles(tables, dotted=True)
    layout = style.Layout(notes, networks.rate_rows(dots, number, len(behind)), pooled, width)
    with style.look():
        figure, panels = style.panels(tables, study, layout)
        for axes, (column, label) in zip(panels, shown.items(), strict=True):
            networks.dots_by_rate(axes, networks.of_largest(dots), "error", column, hollow_too=False)
            axes.set(xlabel="generalisation error", ylabel=label)
        if theirs is not None:
            overlay.dots(panels[0], theirs["generalisation_error"], theirs["area_normalized"])
        heading = networks.RATE_HEADING + (", left panel" if len(shown) > 1 else "")
        handles = panels[0].get_legend_handles_labels()[0] + behind
        style.legend(figure, panels[0], layout, number, heading, handles)
    return figure
