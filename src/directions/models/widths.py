"""Channel counts scaled by the width factor, and image sizes after strides."""

from directions.core.errors import InputError


def channels(full: int, width: float) -> int:
    """Scale a channel count by the width factor and round; raises InputError if no channel is left."""
    if (scaled := round(full * width)) < 1:
        raise InputError(f"width {width} leaves no channel of {full}: raise it to {1 / full} at least")
    return scaled


def halved(size: int, times: int) -> int:
    """Return the height or width after this many stride-2 convolutions with "same" padding."""
    for _ in range(times):
        size = -(-size // 2)
    return size
