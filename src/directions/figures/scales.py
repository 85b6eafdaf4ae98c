"""Non-linear axes: logarithms with plain numbers."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

LINEAR = 1.6  # length of the linear part of a symmetric log axis on each side, in decades of the rest


def plain_log(axes: Axes, which: str = "x") -> None:
    """Set a logarithmic x or y axis with plain numbers, 0.5, 1, 2: as few as possible, but at least three."""
    axes.set(**{f"{which}scale": "log"})
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    for steps in ((1,), (1, 3), (1, 2, 5), tuple(range(1, 10))):
        if sum(low <= step * 10.0**power <= high for step in steps for power in range(-9, 10)) >= 3:
            break
    axis = axes.xaxis if which == "x" else axes.yaxis
    axis.set_major_locator(LogLocator(subs=steps))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def symmetric_log(values: np.ndarray, beside: Iterable[float] = ()) -> float | None:
    """Choose the linear threshold of a symmetric log axis, or None if a linear axis shows the values well.

    If the largest value, drawn `beside` them or not, is ten times the 90th percentile, a linear axis is a row
    of dots along zero. The lower 90 % stay on the linear part: a logarithm around zero would split one cloud
    into two.
    """
    sizes = np.abs(values[values != 0])
    if len(sizes) == 0:
        return None
    bulk, top = np.quantile(sizes, 0.9), max([sizes.max(), *map(abs, beside)])
    if top < 10 * bulk:
        return None
    decade = 10.0 ** np.floor(np.log10(bulk))
    return float(f"{decade * next(step for step in (1, 2, 4, 10) if step * decade > 0.999 * bulk):.0e}")


def set_symmetric_log(axes: Axes, threshold: float) -> None:
    """Set a symmetric log y axis, after drawing; with ticks at half the threshold, where most dots lie."""
    axes.set_yscale("symlog", linthresh=threshold, linscale=LINEAR)
    axes.autoscale_view(scalex=False)
    low, high = axes.get_ylim()
    beyond = [step * 10.0**power for power in range(-9, 10) for step in (1, 3)]
    upper = [threshold / 2, threshold, *(tick for tick in beyond if tick > 2.2 * threshold)]
    ticks = [tick for tick in (*(-tick for tick in reversed(upper)), 0, *upper) if low <= tick <= high]
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FuncFormatter(_short))
    axes.yaxis.set_minor_locator(NullLocator())


def _short(value: float, _place: int) -> str:
    """Format "−0.02", "5e-4": short, to leave room for the axis label."""
    said = f"{value:g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.0e}".replace("e-0", "e-")
    return f"−{said[1:]}" if value < 0 else said
