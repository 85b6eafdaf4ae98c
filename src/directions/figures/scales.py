"""Axes that are not linear: logarithms with numbers as people write them."""

from collections.abc import Iterable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, LogLocator, NullFormatter, NullLocator

LINEAR = 1.6  # length of the linear part of a symmetric log axis on each side, in decades of the rest


def plain_log(axes: Axes) -> None:
    """A logarithmic x axis with numbers as people write them, 0.5, 1, 2: as few as make three of them."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    for steps in ((1,), (1, 3), (1, 2, 5), tuple(range(1, 10))):
        if sum(low <= step * 10.0**power <= high for step in steps for power in range(-9, 10)) >= 3:
            break
    axes.xaxis.set_major_locator(LogLocator(subs=steps))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def symmetric_log(values: np.ndarray, beside: Iterable[float] = ()) -> float | None:
    """A linear threshold for a symmetric log axis, or None where a linear axis shows the values well.

    Where the largest, of them or of what is drawn `beside` them, is ten times as large as nine in ten, a
    linear axis is a line of dots along zero. The nine in ten stay on the linear part: a logarithm around
    zero would show two clouds that are one.
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
    """A symmetric log y axis, once all is drawn; ticks also at half the threshold, where most dots lie."""
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
    """ "−0.02", "5e-4": few letters, so that they leave room for the label of the axis."""
    said = f"{value:g}" if value == 0 or abs(value) >= 1e-3 else f"{value:.0e}".replace("e-0", "e-")
    return f"−{said[1:]}" if value < 0 else said
