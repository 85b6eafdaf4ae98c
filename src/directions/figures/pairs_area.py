"""Information that pairs of units share, against the area under the ablation curve, one dot per network."""

from matplotlib.figure import Figure

from directions.core.tables import Tables, require
from directions.figures import curves, scales, shared_units, style, text

SHOWN = {"mutual_bits": "activations", "mutual_pre_bits": "pre-activations"}


def draw(tables: Tables, study: str) -> Figure:
    """Draw one dot per network, for activations and pre-activations (Bansal et al. 2022).

    Reads tables runs, areas, pairs. Raises InputError naming a table or column that is missing or empty.
    """
    pairs = require(tables, "pairs", "run", "images", "mutual_bits", "mutual_null_bits", "split")
    columns = [name for name in SHOWN if pairs[name].notna().any()]
    dots = shared_units.of_networks(tables, "pairs", *columns, "mutual_null_bits")
    areas = curves.clamped(tables, "areas", curves.CLAMP, "ordering", "auc", "auc_chance_corrected")
    dots = dots.merge(areas.groupby("run")["auc_chance_corrected"].mean().reset_index(), on="run")
    within = {name: shared_units.within_fractions(dots, name, "auc_chance_corrected") for name in columns}
    above = tuple(
        f"{SHOWN[name]}: Spearman {shared_units.rho(dots, name, 'auc_chance_corrected')};"
        f"\nwithin fractions {shared_units.rho(within[name], name, 'auc_chance_corrected')}"
        for name in columns
    )
    layout = style.Layout(_notes(tables, dots), 2, above, style.WIDE)
    with style.look():
        figure, panels = style.panels(tables, study, layout)
        for axes, name in zip(panels, columns, strict=True):
            shared_units.by_fraction(axes, dots, name, "auc_chance_corrected")
            axes.axvline(
                dots["mutual_null_bits"].mean(), color=style.colour("null floor"), linestyle=":", linewidth=1
            )
            axes.set(xlabel="mean information of two units (bits)", ylim=(0, None))
            scales.plain_log(axes)
            axes.set_ylabel("area, corrected for chance")
        style.legend(figure, panels[0], layout, 6, "one dot per network: fraction of labels corrupted")
    return figure


def _notes(tables: Tables, dots) -> tuple[str, ...]:
    pairs = require(tables, "pairs", "images", "split")
    images, split = int(text.only(pairs, "images", "pairs")), text.only(pairs, "split", "pairs")
    low, high = dots["train_accuracy"].min(), dots["train_accuracy"].max()
    return (
        f"{text.networks(dots)}; no error bars. Gaussian copula over all pairs of units of a layer, mean over"
        f" units; {images:,} {split} images. Dotted: the same with permuted images; it depends on their"
        " number alone.",
        "Area: mean over orderings, all units ablated to zero; 0 is guessing, 1 no errors. Training accuracy"
        f" {low:.3f} to {high:.3f}. Within fractions: after subtracting the mean of each fraction.",
    )
