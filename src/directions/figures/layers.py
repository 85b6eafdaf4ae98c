"""Layers in forward order, and correlations within each, which pooling over layers could hide."""

import re

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from scipy.stats import rankdata

from directions.core.seeds import stream
from directions.figures import style

FEWEST_UNITS = 5  # live units per layer and network that a rank correlation within the layer needs
DRAWS = 500  # bootstrap draws; there are dozens of layers
FEW_LAYERS = 4  # up to this many have a named colour and a marker each; more have a colour sequence


def places(units: pd.DataFrame) -> dict[str, int]:
    """Number the layers {layer: 1, 2, ...} in table order, which is forward order."""
    return {layer: place for place, layer in enumerate(units["layer"].drop_duplicates(), 1)}


def colour(place: int, number: int) -> style.Colour:
    """Return the colour of layer `place` (from 1) of `number`: a named colour if they are few."""
    if number <= FEW_LAYERS:
        return style.colour(f"layer {place}")
    return style.in_sequence(place - 1, number)


def norm(number: int) -> Normalize:
    """Map a layer's place to its colour in the sequence."""
    return Normalize(1, number)


def ticks(number: int) -> dict[float, object]:
    """Choose a handful of places for a colour bar or an axis, including the first and the last."""
    step = max(1, round((number - 1) / 5))
    chosen = [place for place in range(1, number, step) if number - place >= 0.7 * step]
    return {place: place for place in [*chosen, number]}


def stages(layers: dict[str, int]) -> list[float]:
    """Find where the stages of a ResNet-50 end on the layer axis; empty for other networks."""
    blocks = {name: int(found[1]) for name in layers if (found := re.match(r"block(\d+)\.", name))}
    if not blocks:
        return []
    ends = [max(layers[name] for name in blocks if blocks[name] <= last) for last in (3, 7, 13)]
    return [min(layers[name] for name in blocks) - 0.5, *(end + 0.5 for end in ends)]


def within(dots: pd.DataFrame, x: str, y: str, key: str, names: dict[str, int]) -> pd.DataFrame:
    """Compute Spearman of columns `x`, `y` within each layer: mean over networks, 95 % bootstrap interval.

    `dots`: one row per live unit, with run and layer; `names`: as from `places`. Networks, then units are
    drawn with replacement (with one network, only units), by ("bootstrap", key, layer). A draw or network in
    which all units are equal shows no correlation and counts as 0. Returns place, value, low, high; layers
    with fewer than `FEWEST_UNITS` live units in some network are left out.
    """
    number, rows = dots["run"].nunique(), []
    for layer, place in names.items():
        mine = dots[dots["layer"] == layer]
        seen = [some[[x, y]].to_numpy(float) for _, some in mine.groupby("run")]
        if len(seen) < number or min(map(len, seen)) < FEWEST_UNITS:
            continue
        value = np.mean([_spearman(units[None])[0] for units in seen])
        drawn = _resample(seen, stream("bootstrap", key, layer))
        rows.append((place, value, *np.quantile(drawn, [0.025, 0.975])))
    return pd.DataFrame(rows, columns=["place", "value", "low", "high"])


def _resample(networks: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    """Average the correlation over redrawn networks and units: (networks, units, 2) -> (draws,)."""
    chosen = random.integers(len(networks), size=(DRAWS, len(networks)))
    values = np.empty(chosen.shape)
    for index, seen in enumerate(networks):
        places = chosen == index
        picks = random.integers(len(seen), size=(places.sum(), len(seen)))
        values[places] = _spearman(seen[picks])
    return values.mean(1)


def _spearman(units: np.ndarray) -> np.ndarray:
    """Compute Spearman (resamples, units, 2) -> (resamples,); 0 if all units are equal in either column."""
    ranks = rankdata(units, axis=1)
    a, b = np.moveaxis(ranks - ranks.mean(1, keepdims=True), -1, 0)
    scale = np.sqrt((a * a).sum(1) * (b * b).sum(1))
    return (a * b).sum(1) / np.where(scale > 0, scale, 1)


def draw_within(axes: Axes, found: pd.DataFrame, layers: dict[str, int], one: str | None = None) -> None:
    """Draw Spearman against depth, one dot with its interval per layer; dotted lines between stages.

    one: a colour for all of them, joined by a line; otherwise each layer has its own.
    """
    axes.axhline(0, color=style.colour("chance"), linewidth=0.6, zorder=1)
    size = 4.5 if len(layers) < 20 else 3
    if one:
        axes.plot(found["place"], found["value"], color=one, linewidth=1.0, label="_means")
    for row in found.itertuples():
        shade = one or colour(row.place, len(layers))
        axes.plot([row.place] * 2, [row.low, row.high], color=shade, linewidth=1.1)
        axes.plot(row.place, row.value, "o", color=shade, markersize=size, markeredgewidth=0)
    depth_axis(axes, layers)
    axes.set(ylabel="Spearman within the layer", ylim=(-1.02, 1.02))


def depth_axis(axes: Axes, layers: dict[str, int]) -> None:
    """Label the x axis with layers, with thin dotted lines between the stages of a ResNet."""
    for end in stages(layers):
        axes.axvline(end, color="#b0b0b0", linewidth=0.6, linestyle=":", zorder=0)
    axes.set(xlim=(0.3, len(layers) + 0.7), xticks=list(ticks(len(layers))))
    axes.set_xlabel("layer (in forward order" + ("; dotted: stages)" if stages(layers) else ")"))


def summary(found: pd.DataFrame, layers: dict[str, int]) -> str:
    """Format "within layers −0.31 to 0.22, median −0.05", and how many layers have too few units."""
    few = len(layers) - len(found)
    missing = f" ({few} with fewer than {FEWEST_UNITS} live left out)" if few else ""
    if found.empty:
        return f"no layer has {FEWEST_UNITS} live units in every network"
    low, middle, high = found["value"].quantile([0, 0.5, 1]).map("{:.2f}".format)
    said = f"{low} to {high}, median {middle}" if len(found) > 1 else middle
    return f"within layers {said}{missing}".replace("-", "−")
