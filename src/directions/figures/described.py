"""What a drawn figure shows, in words, for readers who cannot see it: panels, axes, colours, legend."""

import re

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.legend import Legend

_MARKUP = re.compile(r"\$|\\[a-z]+|[{}]")  # of matplotlib's formulas


def words(figure: Figure) -> str:
    """Describe a figure: its title, what each panel has on which axis, and the entries of its legends.

    "MNIST · MLP 2×512. Training accuracy against number of units ablated. Labels shuffled: 0.0; 1.0."
    """
    scales = [axes for axes in figure.axes if _is_scale(axes)]
    panels: dict[tuple, list[Axes]] = {}  # {place: axes there}, several where there is a scale at the right
    for axes in figure.axes:
        if axes not in scales:
            panels.setdefault(axes.get_position().bounds, []).append(axes)
    said = [first.get_title(loc="left") for first, *_ in panels.values()][:1]
    for number, here in enumerate(panels.values(), 1):
        place = f"panel {number} of {len(panels)}" if len(panels) > 1 else ""
        said += _panel(place, here)
    said += [f"colours: {axes.get_ylabel()}" for axes in scales]
    said += [_legend(legend) for legend in figure.legends]
    plain = [_MARKUP.sub("", sentence.replace("\n", " ")).rstrip(".") for sentence in said]
    return " ".join(f"{sentence[0].upper()}{sentence[1:]}." for sentence in plain if sentence)


def _panel(place: str, here: list[Axes]) -> list[str]:
    """Say what is up and what is across, with the line above the panel, in one sentence or two."""
    first = here[0]
    up = " and, at the right, ".join(axes.get_ylabel() for axes in here)
    names = filter(None, (label.get_text() for label in first.get_xticklabels()))
    axes = f"{up} against {first.get_xlabel() or ', '.join(names)}"
    above = first.texts[0].get_text() if first.texts else ""
    if place:
        return [f"{place}{f' ({above})' if above else ''}: {axes}"]
    return [axes, above]


def _legend(legend: Legend) -> str:
    entries = "; ".join(text.get_text() for text in legend.get_texts())
    return ": ".join(filter(None, [legend.get_title().get_text(), entries]))


def _is_scale(axes: Axes) -> bool:
    return hasattr(axes, "_colorbar")  # matplotlib's mark of the axes of a colour bar
