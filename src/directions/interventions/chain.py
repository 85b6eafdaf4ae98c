"""The part of a network from its first ablated layer on, as a chain of weights.

Most networks end in one: a dense or convolutional layer, batch norm, an activation whose outputs are units,
perhaps pooling, the next weights, and so on to the logits. Inputs that join it from outside, such as the
shortcut of a residual block, do not depend on the ablated units and are computed once. `reverse.py` computes
curves along such a chain.
"""

import copy
import logging
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeGuard

import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from torch.nn.functional import conv2d, linear, unfold

from directions.core.scoring import PROBE, scaled
from directions.core.types import Images
from directions.interventions.activations import MODULES
from directions.interventions.batching import affordable
from directions.interventions.hooks import unit_axis
from directions.interventions.tracing import UNTRACEABLE, make_in_place, subgraph, traced

Values = Mapping[str, Tensor | float]  # the values to which the units of each layer are clamped

log = logging.getLogger(__name__)

PASSED = nn.Dropout | nn.Dropout2d | nn.Identity  # modules that do nothing in evaluation mode
POOLS = nn.AdaptiveAvgPool2d | nn.AvgPool2d | nn.MaxPool2d  # modules that treat every channel separately
NORMS = nn.BatchNorm1d | nn.BatchNorm2d
FEW = 8  # up to this many units, a thin matrix product is faster than a convolution with so few channels
FLATTENS = ("flatten", torch.flatten)
LOG_SOFTMAX = ("log_softmax", torch.log_softmax, functional.log_softmax)


@dataclass(frozen=True)
class Link:
    """The step from one layer of units to the next: pooling, then weights with batch norm folded in.

    weight: (out, in, ...), for a dense layer that reads feature maps (out, maps, positions). convolution: the
    module that gives stride and padding, None for a dense layer. joined: the node whose values are added.
    units: the layer whose units it feeds, None for the logits. activation: maps the sums to these units, or
    is log-softmax if the logits are followed by one; it returns a new tensor.
    """

    weight: Tensor
    bias: Tensor
    pools: tuple[nn.Module, ...] = ()
    convolution: nn.Conv2d | None = None
    joined: fx.Node | None = None
    units: str | None = None
    activation: nn.Module = field(default_factory=nn.Identity)

    def by_unit(self, units: int) -> Tensor:
        """View the weights as (out, units, ...), those of each unit of the previous layer together."""
        return self.weight if self.convolution else self.weight.unflatten(1, (units, -1))

    def pooled(self, activity: Tensor) -> Tensor:
        """Pool activity (examples, units, ...) into the form that the weights read."""
        for pool in self.pools:
            activity = pool(activity)
        return activity

    def product(self, activity: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """Compute what pooled activity (examples, k, ...) adds to the sums (examples, rows, ...).

        weight: (rows, k, ...), the slice of the weights to use; bias: (rows,), or None for none.
        """
        if self.convolution is None:
            return linear(activity.flatten(1), weight.flatten(1), bias)
        own = self.convolution
        return conv2d(activity, weight, bias, own.stride, own.padding, own.dilation)

    def add_product(self, sums: Tensor, activity: Tensor, weight: Tensor) -> None:
        """Add `product` to sums (examples, rows, ...), in place and, for few units, in one pass over them."""
        own = self.convolution
        if own is None:
            sums.addmm_(activity.flatten(1), weight.flatten(1).T)
        elif (
            activity.shape[1] > FEW
            or isinstance(own.padding, str)
            or not sums.is_contiguous(memory_format=torch.channels_last)
        ):
            sums.add_(self.product(activity, weight))
        else:
            patches = unfold(activity, own.kernel_size, own.dilation, own.padding, own.stride)
            flat = sums.permute(0, 2, 3, 1).view(-1, sums.shape[1])
            flat.addmm_(patches.transpose(1, 2).flatten(0, 1), weight.flatten(1).T)


@dataclass(frozen=True)
class Chain:
    """A chain; `prefix(images)` gives the activity of its first layer and all inputs that join it later.

    layers: names of the layers of units, including the first; links[i] starts at layers[i].
    """

    prefix: nn.Module
    layers: tuple[str, ...]
    links: tuple[Link, ...]

    @torch.no_grad()
    def pass_size(self, images: Images) -> int:
        """Return how many uint8 images (n, c, h, w) to process at a time (see `batching.affordable`)."""
        activity, *_ = self._of_one(images)
        elements = activity.numel() + sum(sums.numel() for sums in self._sums(activity))
        return affordable(elements, images.device)

    @torch.no_grad()
    def check_joined(self, images: Images) -> None:
        """Raise NoChain if an input that joins the chain would be broadcast, such as one number per unit."""
        activity, *joined = self._of_one(images)
        shapes = [
            sums.shape
            for link, sums in zip(self.links, self._sums(activity), strict=True)
            if link.joined is not None
        ]
        if shapes != [other.shape for other in joined]:
            raise NoChain("what is added to the chain does not have its shape")

    def _of_one(self, images: Images) -> tuple[Tensor, ...]:
        """Run the prefix on the first image."""
        [probe] = images[:PROBE].split(PROBE)
        return tuple(values[:1] for values in self.prefix(scaled(probe)))

    def _sums(self, activity: Tensor) -> Iterator[Tensor]:
        """Yield each link's sums, leaving out activations, which change no shape."""
        for link in self.links:
            activity = link.product(link.pooled(activity), link.by_unit(activity.shape[1]))
            yield activity


def find_chain(model: nn.Module, layers: Mapping[str, int], images: Images | None = None) -> Chain | None:
    """Find the chain from the first of `layers` to the logits; if there is none, log why and return None.

    The model must be in evaluation mode. All of `layers` must lie on the chain. images: (n, c, h, w); one of
    them is used to check that whatever joins the chain has the shape of the sums it is added to.
    """
    try:
        followed = traced(model)
        first = _only_node(followed.graph, next(iter(layers)))
        links = tuple(_links(dict(model.named_modules()), first))
        on_chain = (str(first.target), *(link.units for link in links[:-1] if link.units))
        if missing := set(layers) - set(on_chain):
            raise NoChain(f"{', '.join(sorted(missing))} do not follow {first.target} in a chain")
        joined = [link.joined for link in links if link.joined is not None]
        chain = Chain(subgraph(followed, [first, *joined]), on_chain, links)
        if images is not None and joined:
            chain.check_joined(images)
    except (*UNTRACEABLE, NoChain) as reason:
        log.info("no chain of layers: %s", (str(reason) or repr(reason)).splitlines()[0])
        return None
    log.info("ablation along a chain of %d layers from %s on", len(links), first.target)
    return chain


class NoChain(Exception):
    """The network is not a chain; the message says where it stops being one."""


def _only_node(graph: fx.Graph, layer: str) -> fx.Node:
    nodes: list[fx.Node] = [node for node in graph.nodes if node.op == "call_module" and node.target == layer]
    if len(nodes) != 1:
        raise NoChain(f"{layer} is used {len(nodes)} times")
    return nodes[0]


def _links(modules: Mapping[str, nn.Module], first: fx.Node) -> Iterator[Link]:
    """Yield every link from the layer `first` on; NoChain at the first node that does not fit."""
    node, link, pools = first, None, []
    _called(modules, first)
    while True:
        before, node = node, _sole_user(node)
        if node.op == "output":
            if link is None or link.units is not None:
                raise NoChain("the network does not end with a layer of weights")
            yield link
            return
        module = _called(modules, node)
        if isinstance(module, PASSED) or _flattens(node, module):
            continue
        if link is not None and _sole_user(node).op == "output" and _is_log_softmax(node, module):
            link = replace(link, activation=nn.LogSoftmax(1))
            continue
        if link is None and isinstance(module, POOLS):
            pools.append(module)
        elif link is None and isinstance(module, nn.Conv2d | nn.Linear):
            link = weights_of(module, tuple(pools))
        elif link is not None and isinstance(module, NORMS) and link.joined is None:
            link = folded(link, module)
        elif link is not None and link.joined is None and (other := _added(node, before)) is not None:
            link = replace(link, joined=other)
        elif link is not None and is_elementwise(module):
            yield replace(link, units=str(node.target), activation=out_of_place(module))
            link, pools = None, []
        else:
            raise NoChain(f"{node.target} after {before.target} cannot be part of a chain")


def _called(modules: Mapping[str, nn.Module], node: fx.Node) -> nn.Module | None:
    """Return the module that a node calls; NoChain if its units are not on dimension 1 (`hooks.edited`)."""
    module = modules.get(str(node.target)) if node.op == "call_module" else None
    if module is not None and unit_axis(module) != 1:
        raise NoChain(f"units of {node.target} are not on dimension 1")
    return module


def _sole_user(node: fx.Node) -> fx.Node:
    if len(node.users) != 1:
        raise NoChain(f"{node.target} is read {len(node.users)} times")
    return next(iter(node.users))


def _flattens(node: fx.Node, module: nn.Module | None) -> bool:
    """Return whether a node flattens all dimensions but the examples'."""
    if isinstance(module, nn.Flatten):
        return (module.start_dim, module.end_dim) == (1, -1)
    return node.target in FLATTENS and node.args[1:] == (1,) and not node.kwargs


def _is_log_softmax(node: fx.Node, module: nn.Module | None) -> bool:
    """Return whether a node is log-softmax over the classes of logits (examples, classes)."""
    if isinstance(module, nn.LogSoftmax):
        return module.dim in (1, -1)
    dim = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
    return node.target in LOG_SOFTMAX and dim in (1, -1) and node.kwargs.get("dtype") is None


def is_elementwise(module: nn.Module | None) -> TypeGuard[nn.Module]:
    """Return whether a module acts elementwise; this project's own modules declare it."""
    if isinstance(module, nn.PReLU) and module.num_parameters > 1:
        return False  # one slope per channel
    return isinstance(module, tuple(MODULES)) or getattr(module, "elementwise", False)


def out_of_place(module: nn.Module) -> nn.Module:
    """Return a module that computes the same without changing its input."""
    if not getattr(module, "inplace", False):
        return module
    other = copy.copy(module)
    make_in_place(other, False)
    return other


def _added(node: fx.Node, chain: fx.Node) -> fx.Node | None:
    """Return the node that a sum adds to the chain, itself not on the chain; None if it is no such sum."""
    if node.target not in (operator.add, operator.iadd, torch.add, "add", "add_") or node.kwargs:
        return None
    others = [argument for argument in node.args if argument is not chain]
    return others[0] if len(others) == 1 and isinstance(others[0], fx.Node) else None


def weights_of(module: nn.Conv2d | nn.Linear, pools: tuple[nn.Module, ...]) -> Link:
    weight = module.weight.detach()
    bias = weight.new_zeros(len(weight)) if module.bias is None else module.bias.detach()
    if isinstance(module, nn.Linear):
        return Link(weight, bias, pools)
    if module.groups != 1 or module.padding_mode != "zeros":
        raise NoChain(f"{module} is grouped or uses a padding other than zeros")
    return Link(weight, bias, pools, module)


def folded(link: Link, norm: NORMS) -> Link:
    """Fold the batch norm that follows, in evaluation mode, into the link's weights."""
    if norm.running_mean is None or norm.running_var is None:
        raise NoChain("batch norm without running statistics depends on the other images")
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    shift = -norm.running_mean.double() * scale
    if norm.affine:
        scale, shift = scale * norm.weight.double(), shift * norm.weight.double() + norm.bias.double()
    weight = link.weight.double() * scale.view(-1, *[1] * (link.weight.dim() - 1))
    bias = link.bias.double() * scale + shift
    return replace(link, weight=weight.to(link.weight).detach(), bias=bias.to(link.bias).detach())
