"""Figure 3b: the area under a network's ablation curve against its generalisation error."""

from matplotlib.figure import Figure

from directions.figures import curves, networks, style, words
from directions.tidy import Tables


def draw(tables: Tables, study: str) -> Figure:
    """One dot per network, coloured by learning rate; second panel: areas / unablated accuracy (section 3.2).

    The error is 1 - test accuracy (D23). Reads tables runs, ablation, areas. Raises InputError naming a table
    or column that is missing or empty.
    """
    dots = networks.areas_of_networks(tables, "learning_rate", "test_images")
    ablation = curves.clamped(tables, "ablation", curves.CLAMP, "ordering", "ablated", "units")
    orderings = words.count(ablation.groupby("run")["ordering"].nunique(), "ordering")
    notes = (
        f"One dot per network ({len(dots)}): mean over {orderings}, training images; no error bars.",
        f"Generalisation error: 1 − accuracy on {words.only(dots, 'test_images'):,} test images, not seen in "
        "training. Colours separate learning rates, which pooling mixes.",
        *networks.hollow(dots, ", in no correlation"),
    )
    shown = {"auc": "normalised area", "auc_relative": "area / unablated accuracy"}
    known = dots[dots["trained"]]
    pooled = tuple(f"pooled Spearman {networks.rho(known['error'], known[y])}" for y in shown)
    layout = style.Layout(notes, networks.rate_rows(dots), pooled, style.WIDE)
    with style.look():
        figure, both = style.panels(tables, study, layout)
        for axes, (column, label) in zip(both, shown.items(), strict=True):
            networks.dots_by_rate(axes, dots, "error", column, hollow_too=False)
            axes.set(xlabel="generalisation error", ylabel=label)
        style.legend(figure, both[0], layout, networks.RATE_COLUMNS, f"{networks.RATE_HEADING}, left panel")
    return figure
