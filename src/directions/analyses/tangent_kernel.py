"""The neural tangent kernel of a network: how alike its outputs on two images change when its weights do.

Theta(x, x') is the mean over outputs k of <df_k(x)/dw, df_k(x')/dw>. Networks that learn by small changes of
their weights, as wide ones do, learn as kernel regression with this kernel (Jacot et al. 2018). Every output
is given the same kernel, which holds in the limit of infinite width.
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import torch
from torch import Tensor, nn
from torch.func import functional_call, jacrev, vmap

from directions.core.scoring import PROBE, scaled
from directions.core.types import Images

GRADIENTS = 2**27  # most numbers of a block of gradients that is held in memory


def tangent_kernel(model: nn.Module, images: Images, others: Images | None = None) -> Tensor:
    """Compute the kernel (n, m) of images (n, ...) and others (m, ...), or of the images among themselves.

    In float64, on the CPU, of the network in evaluation mode. Networks whose weights are all those of dense
    layers need one backward pass per output; of others, the gradients of some images at a time are
    multiplied.
    """
    copied = copy.deepcopy(model).eval().double().requires_grad_(True)
    mine, theirs = inputs(images).double(), None if others is None else inputs(others).double()
    made = _of_dense if dense(copied, mine[:PROBE]) else _of_gradients
    return made(copied, mine, theirs).cpu()


def inputs(images: Images) -> Tensor:
    """Return all images as the network takes them."""
    [tensor] = images.split(len(images))
    return scaled(tensor)


def dense(model: nn.Module, images: Tensor) -> bool:
    """Return whether all weights are those of dense layers, each called once, on one vector per image."""
    layers, weights = _dense_layers(model), list(model.parameters())
    with torch.no_grad(), _noted(model) as calls:
        model(images.clone())  # a copy, as a network may work in place
    once = len({layer for layer, _, _ in calls}) == len(calls) == len(layers)
    vectors = all(given.dim() == 2 and len(given) == len(images) for _, given, _ in calls)
    return once and vectors and sum(len(list(layer.parameters())) for layer in layers) == len(weights)


def _dense_layers(model: nn.Module) -> list[nn.Linear]:
    return [module for module in model.modules() if type(module) is nn.Linear]


@contextmanager
def _noted(model: nn.Module) -> Iterator[list[tuple[nn.Linear, Tensor, Tensor]]]:
    """Note (layer, inputs, outputs) of every call of a dense layer while open, in order."""
    calls: list[tuple[nn.Linear, Tensor, Tensor]] = []

    def note(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
        assert isinstance(layer, nn.Linear)
        calls.append((layer, inputs[0].detach(), output))
        return output.clone()  # or what follows may change it

    with ExitStack() as stack:
        for layer in _dense_layers(model):
            stack.callback(layer.register_forward_hook(note).remove)
        yield calls


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
    with torch.enable_grad(), _noted(model) as calls:
        logits = model(images)
        outputs = [output for _, _, output in calls]
        # Images do not see each other, so the gradient of a sum over them holds the gradient of each.
        signals = [
            torch.autograd.grad(of_class.sum(), outputs, retain_graph=True, materialize_grads=True)
            for of_class in logits.unbind(1)
        ]
    return [
        (given, torch.cat([of_output[place] for of_output in signals], 1), int(layer.bias is not None))
        for place, (layer, given, _) in enumerate(calls)
    ]


def _of_gradients(model: nn.Module, images: Tensor, others: Tensor | None) -> Tensor:
    """Multiply the gradients of blocks of images, each as large as memory allows."""
    parameters = {name: value.detach() for name, value in model.named_parameters()}
    fixed = dict(model.named_buffers())

    def logits(values: dict[str, Tensor], image: Tensor) -> Tensor:
        return functional_call(model, (values, fixed), (image[None].clone(),))[0]

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
    return model(images[:PROBE].clone()).shape[1]
