"""The part of a network that follows its first ablated layer, seen as a chain of weights.

Most networks end in one: a dense or convolutional layer, batch norm, an activation whose outputs are units,
perhaps pooling, the next weights, and so on to the logits. What joins it from outside, such as the shortcut
of a residual block, does not change with the units and is computed once. `revival.py` walks along such a
chain.
"""

import copy
import logging
import operator
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, fx, nn
from torch.nn import functional
from torch.nn.functional import conv2d, linear, unfold

from directions.evaluation import PROBE, scaled
from directions.memory import affordable
from directions.tracing import UNTRACEABLE, subgraph, traced

Values = Mapping[str, Tensor | float]  # what the units of each layer are clamped to

log = logging.getLogger(__name__)

PASSED = nn.Dropout | nn.Dropout2d | nn.Identity  # what does nothing in evaluation mode
POOLS = nn.AdaptiveAvgPool2d | nn.AvgPool2d | nn.MaxPool2d  # what acts on every channel by itself
ELEMENTWISE = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.ELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Hardswish,
    nn.Softplus,
    nn.Tanh,
    nn.Sigmoid,
)  # fmt: skip  (activations that see every element by itself)
NORMS = nn.BatchNorm1d | nn.BatchNorm2d
FEW = 8  # units that are faster added as a thin matrix product than as a convolution of so few channels
FLATTENS = ("flatten", torch.flatten)
LOG_SOFTMAX = ("log_softmax", torch.log_softmax, functional.log_softmax)


@dataclass(frozen=True)
class Link:
    """What leads from one layer of units to the next: pooling, then weights with batch norm folded in.

    weight: (out, in, ...), for a dense layer that reads feature maps (out, maps, positions). convolution: the
    module whose stride and padding hold, None for a dense layer. joined: the node whose values are added.
    units: the layer whose units it feeds, None for the logits. activation: what makes these of the sums, for
    logits perhaps log-softmax; it returns a new tensor.
    """

    weight: Tensor
    bias: Tensor
    pools: tuple[nn.Module, ...] = ()
    convolution: nn.Conv2d | None = None
    joined: fx.Node | None = None
    units: str | None = None
    activation: nn.Module = field(default_factory=nn.Identity)

    def by_unit(self, units: int) -> Tensor:
        """The weights (out, units, ...) with those of each unit of the layer before together."""
        return self.weight if self.convolution else self.weight.unflatten(1, (units, -1))

    def pooled(self, activity: Tensor) -> Tensor:
        """Activity (examples, units, ...) as the weights see it."""
        for pool in self.pools:
            activity = pool(activity)
        return activity

    def product(self, activity: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        """What pooled activity (examples, k, ...) adds to the sums (examples, rows, ...).

        weight: (rows, k, ...), the part of the weights that is meant; bias: (rows,), None: without.
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
    """`prefix(images)` gives the activity of the first layer and all that joins the chain later on.

    layers: names of the layers of units, the first one included; links[i] leads on from layers[i].
    """

    prefix: nn.Module
    layers: tuple[str, ...]
    links: tuple[Link, ...]

    @torch.no_grad()
    def pass_size(self, images: Tensor) -> int:
        """How many of these uint8 images (n, c, h, w) a walk takes at a time (see `memory.affordable`)."""
        activity, *_ = self._of_one(images)
        elements = activity.numel() + sum(sums.numel() for sums in self._sums(activity))
        return affordable(elements, images.device)

    @torch.no_grad()
    def check_joined(self, images: Tensor) -> None:
        """Raises NoChain where what joins the chain would be broadcast, as a number per unit."""
        activity, *joined = self._of_one(images)
        shapes = [
            sums.shape
            for link, sums in zip(self.links, self._sums(activity), strict=True)
            if link.joined is not None
        ]
        if shapes != [other.shape for other in joined]:
            raise NoChain("what is added to the chain does not have its shape")

    def _of_one(self, images: Tensor) -> tuple[Tensor, ...]:
        """What the prefix makes of the first image."""
        [probe] = images[:PROBE].split(PROBE)
        return tuple(values[:1] for values in self.prefix(scaled(probe)))

    def _sums(self, activity: Tensor) -> Iterator[Tensor]:
        """What each link makes of it, activations left out: they change no shape."""
        for link in self.links:
            activity = link.product(link.pooled(activity), link.by_unit(activity.shape[1]))
            yield activity


def find_chain(model: nn.Module, layers: Mapping[str, int], images: Tensor | None = None) -> Chain | None:
    """The chain from the first of `layers` to the logits; None, and a line in the log, where there is none.

    The model is in evaluation mode. All of `layers` must lie on the chain. images: (n, c, h, w), of which one
    shows that what joins the chain has the shape of what it is added to.
    """
    try:
        followed = traced(model)
        first = _only_node(followed.graph, next(iter(layers)))
        links = tuple(_links(dict(model.named_modules()), first))
        on_chain = (str(first.target), *(link.units for link in links[:-1]))
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
    """A network is no chain; the message says where."""


def _only_node(graph: fx.Graph, layer: str) -> fx.Node:
    nodes = [node for node in graph.nodes if node.op == "call_module" and node.target == layer]
    if len(nodes) != 1:
        raise NoChain(f"{layer} is used {len(nodes)} times")
    return nodes[0]


def _links(modules: Mapping[str, nn.Module], first: fx.Node) -> Iterator[Link]:
    """Every link from the layer `first` on; NoChain where something else than a link follows."""
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
            raise NoChain(f"{node.target} after {before.target} is no part of a chain")


def _called(modules: Mapping[str, nn.Module], node: fx.Node) -> nn.Module | None:
    """The module that a node calls; NoChain where its units are not on dimension 1 (see `units.edited`)."""
    module = modules.get(node.target) if node.op == "call_module" else None
    if getattr(module, "unit_axis", 1) != 1:
        raise NoChain(f"units of {node.target} are not on dimension 1")
    return module


def _sole_user(node: fx.Node) -> fx.Node:
    if len(node.users) != 1:
        raise NoChain(f"{node.target} is read {len(node.users)} times")
    return next(iter(node.users))


def _flattens(node: fx.Node, module: nn.Module | None) -> bool:
    """Whether a node makes one dimension of all but the examples'."""
    if isinstance(module, nn.Flatten):
        return (module.start_dim, module.end_dim) == (1, -1)
    return node.target in FLATTENS and node.args[1:] == (1,) and not node.kwargs


def _is_log_softmax(node: fx.Node, module: nn.Module | None) -> bool:
    """Whether a node is log-softmax over the classes of logits (examples, classes)."""
    if isinstance(module, nn.LogSoftmax):
        return module.dim in (1, -1)
    dim = node.args[1] if len(node.args) > 1 else node.kwargs.get("dim")
    return node.target in LOG_SOFTMAX and dim in (1, -1) and node.kwargs.get("dtype") is None


def is_elementwise(module: nn.Module | None) -> bool:
    """Tell whether a module acts on every element by itself; those of our own say so."""
    return isinstance(module, ELEMENTWISE) or getattr(module, "elementwise", False)


def out_of_place(module: nn.Module) -> nn.Module:
    """Return a module that computes the same and changes nothing."""
    if not getattr(module, "inplace", False):
        return module
    other = copy.copy(module)
    other.inplace = False
    return other


def _added(node: fx.Node, chain: fx.Node) -> fx.Node | None:
    """What a node adds to the chain, which nothing on the chain leads to; None if it is no such sum."""
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
        raise NoChain(f"{module} works in groups or pads with something else than zeros")
    return Link(weight, bias, pools, module)


def folded(link: Link, norm: NORMS) -> Link:
    """The link with the batch norm that follows it, in evaluation mode, as part of its weights."""
    if norm.running_var is None:
        raise NoChain("batch norm without running statistics depends on the other images")
    scale = (norm.running_var.double() + norm.eps).rsqrt()
    shift = -norm.running_mean.double() * scale
    if norm.affine:
        scale, shift = scale * norm.weight.double(), shift * norm.weight.double() + norm.bias.double()
    weight = link.weight.double() * scale.view(-1, *[1] * (link.weight.dim() - 1))
    bias = link.bias.double() * scale + shift
    return replace(link, weight=weight.to(link.weight).detach(), bias=bias.to(link.bias).detach())
