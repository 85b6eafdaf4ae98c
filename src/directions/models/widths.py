"""Channel counts scaled by the width factor, and the size of images after strides."""

from directions.errors import InputError


def channels(full: int, width: float) -> int:
    """`full` channels times the width factor, rounded to whole ones; raises InputError where none is left."""
    if (scaled := round(full * width)) < 1:
        raise InputError(f"width {width} leaves no channel of {full}: raise it to {1 / full} at least")
    return scaled


def halved(size: int, times: int) -> int:
    """Height or width of an image after so many convolutions of stride 2 with "same" padding."""
    for _ in range(times):
        size = -(-size // 2)
    return size
