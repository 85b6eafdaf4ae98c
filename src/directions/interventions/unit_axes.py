"""Find the unit axis of a layer's output from the weights that feed it."""

from torch import Tensor, nn

from directions.core.errors import InputError
from directions.interventions.module_calls import CONVOLUTIONS, PROBE, Call

TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def weighs(module: nn.Module) -> bool:
    """Return whether a module mixes its inputs by its own weights: dense, convolutional or other."""
    if isinstance(module, (nn.Linear, *CONVOLUTIONS)):
        return True
    parts = {name for name, _ in module.named_children()}
    if isinstance(module, nn.LayerNorm | nn.Embedding) or parts - {"parametrizations"}:
        return False
    return any(value.numel() > max(value.shape) for value in module.parameters() if value.dim())


def check_examples_first(call: Call, examples: int) -> None:
    """Raise InputError unless a layer's output is a tensor with this many examples on its first axis."""
    if not isinstance(call.output, Tensor) or call.output.dim() < 2:
        raise InputError(
            f"layer {call.name} returns {type(call.output).__name__}, not one tensor of examples"
        )
    if call.output.shape[0] != examples:
        raise InputError(
            f"layer {call.name} returns {tuple(call.output.shape)} for {examples} examples: they must be on"
            " its first axis (such as batch_first=True)"
        )


def found_axis(call: Call, feeding: Call) -> int:
    """Return the unit axis of a layer's output, 1 or -1, from the weights that feed it."""
    check_examples_first(call, PROBE)
    shape = tuple(call.output.shape)
    if not isinstance(feeding.module, (nn.Linear, *CONVOLUTIONS)):
        if len(shape) == 2 or (
            isinstance(feeding.module, TRANSPOSED) and shape[1] == feeding.module.out_channels
        ):
            return 1
        raise InputError(
            f"layer {call.name} returns (examples, ...) of shape {shape}, and is fed by {feeding.name}, a"
            f" {type(feeding.module).__name__}, so its unit axis is ambiguous: name a layer that a dense"
            " layer or a convolution feeds, or one that returns (examples, units)"
        )
    units = len(feeding.module.weight)
    usual = -1 if isinstance(feeding.module, nn.Linear) else 1
    if call.output.dim() == 2:
        usual = 1
    if shape[usual] == units and shape == tuple(feeding.output.shape):
        return usual
    fitting = [axis for axis in (1, -1) if shape[axis] == units]
    if len(fitting) == 1 or (fitting and len(shape) == 2):
        return fitting[0]
    told = "more than one axis has" if fitting else "no axis has"
    raise InputError(
        f"layer {call.name} returns (examples, ...) of shape {shape}, and {told} the {units} units of"
        f" {feeding.name}, which feeds it: name a layer closer to those weights"
    )
