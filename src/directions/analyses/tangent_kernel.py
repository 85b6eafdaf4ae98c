"""The neural tangent kernel of a network: how alike its outputs on two images change when its weights do.

Theta(x, x') is the mean over outputs k of <df_k(x)/dw, df_k(x')/dw>. Networks that learn by small changes of
their weights, as wide ones do, learn as kernel regression with this kernel (Jacot et al. 2018). Every output
is given the same kernel, which holds in the limit of infinite width.
"""

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from directions.core.scoring import scaled
from directions.core.types import Images

GRADIENTS = 2**27  # most numbers of a block of gradients that is held in memory


def tangent_kernel(model: nn.Module, images: Images, others: Images | None = None) -> Tensor:
    """Compute the kernel (n, m) of images (n, ...) and others (m, ...), or of the images among themselves.

    In float64, of the network in evaluation mode. Networks of dense layers and activations need one backward
    pass per output; of others, the gradients of some images at a time are multiplied.
    """
    copied = copy.deepcopy(model).eval().double().requires_grad_(True)
    made = _of_dense if dense(model) else _of_gradients
    return made(copied, inputs(images).double(), None if others is None else inputs(others).double())


def inputs(images: Images) -> Tensor:
    """Return all images as the network takes them."""
    [tensor] = images.split(len(images))
    return scaled(tensor)


def dense(model: nn.Module) -> bool:
    """Return whether all weights are those of dense layers that act on one vector per image."""
    weighted = [module for module in model.modules() if any(True for _ in module.parameters(recurse=False))]
    return isinstance(model, nn.Sequential) and all(isinstance(module, nn.Linear) for module in weighted)


def _of_dense(model: nn.Module, images: Tensor, others: Tensor | None) -> Tensor:
    """Sum over layers (signals . signals') (inputs . inputs' + 1); no gradient of a weight is ever formed."""
    mine = _factors(model, images)
    theirs = mine if others is None else _factors(model, others)
    parts = (
        (signals @ signals_.T) * (inputs @ inputs_.T + biased)
        for (inputs, signals, biased), (inputs_, signals_, _) in zip(mine, theirs, strict=True)
    )
    return sum(parts, torch.zeros(())) / _outputs(model, images)


def _factors(model: nn.Module, images: Tensor) -> list[tuple[Tensor, Tensor, int]]:
    """List per dense layer: inputs (n, fan-in), gradients at its outputs (n, classes units), 1 if biased."""
    seen: list[tuple[nn.Linear, Tensor, Tensor]] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        assert isinstance(layer, nn.Linear)
        seen.append((layer, inputs[0].detach(), output))

    layers = [module for module in model.modules() if isinstance(module, nn.Linear)]
    handles = [layer.register_forward_hook(note) for layer in layers]
    with torch.enable_grad():
        logits = model(images)
        outputs = [output for _, _, output in seen]
        # Images do not see each other, so the gradient of a sum over them holds the gradient of each.
        signals = [
            torch.autograd.grad(of_class.sum(), outputs, retain_graph=True) for of_class in logits.unbind(1)
        ]
    for handle in handles:
        handle.remove()
    return [
        (inputs, torch.cat([of_output[place] for of_output in signals], 1), int(layer.bias is not None))
        for place, (layer, inputs, _) in enumerate(seen)
    ]


def _of_gradients(model: nn.Module, images: Tensor, others: Tensor | None) -> Tensor:
    """Multiply the gradients of blocks of images, each as large as memory allows."""
    parameters = {name: value.detach() for name, value in model.named_parameters()}
    fixed = dict(model.named_buffers())

    def logits(values: dict[str, Tensor], image: Tensor) -> Tensor:
        return functional_call(model, (values, fixed), (image[None],))[0]

    each: Callable = vmap(jacrev(logits), (None, 0))

    def gradients(block: Tensor) -> Tensor:
        return torch.cat([part.flatten(1) for part in each(parameters, block).values()], 1)

    outputs, weights = _outputs(model, images), sum(value.numel() for value in parameters.values())
    size = max(1, GRADIENTS // (outputs * weights))
    rows, columns = images.split(size), (images if others is None else others).split(size)
    kernel = torch.zeros(len(images), len(images if others is None else others), dtype=torch.float64)
    for i, row in enumerate(rows):
        ours = gradients(row)
        for j, column in enumerate(columns):
            if others is None and j < i:
                continue
            block = ours @ (ours if others is None and i == j else gradients(column)).T
            kernel[i * size : i * size + len(row), j * size : j * size + len(column)] = block
            if others is None:
                kernel[j * size : j * size + len(column), i * size : i * size + len(row)] = block.T
    return kernel / outputs


@torch.no_grad()
def _outputs(model: nn.Module, images: Tensor) -> int:
    return model(images[:1]).shape[1]
