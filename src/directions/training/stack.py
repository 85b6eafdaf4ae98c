"""Several networks of one architecture as one: each layer of all is computed by one product.

Dense layers are batched matrix products, convolutions are grouped ones, and batch norm sees the feature maps
of all networks as the channels of one. So no number of one network enters that of another, and gradients of
the sum of their losses are each network's own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn, optim
from torch.nn import functional

from directions.core.errors import InputError
from directions.core.types import present
from directions.models.optimizers import learning_rate, make_optimizer
from directions.study.training_settings import TrainingSettings

SIMPLE = (nn.ZeroPad2d, nn.ReLU, nn.AdaptiveAvgPool2d)  # act on each feature map, or each number, by itself
LAYERS = (*SIMPLE, nn.Conv2d, nn.BatchNorm2d, nn.Flatten, nn.Linear, nn.Dropout)

Masks = Mapping[str, Tensor]


class Stack:
    """Networks that are trained together; while they are, their weights are views of `weights`.

    networks: chains of `LAYERS`, alike but for dropout. weights, buffers: {name: (networks, ...)}. Between
    layers, examples lie as maps (n, networks * c, h, w) or as rows (networks, n, ...), images at first.
    """

    def __init__(self, networks: Sequence[nn.Module]):
        self.networks = list(networks)
        chains = [dict(one.named_children()) for one in networks]
        self.layers = max(chains, key=len)  # with dropout, if one network has it
        for name, layer in self.layers.items():
            if not isinstance(layer, LAYERS):
                raise InputError(f"{name} is a {type(layer).__name__}, which cannot be trained in one pass")
        self.weights = _stacked([dict(one.named_parameters()) for one in networks])
        self.buffers = _stacked([dict(one.named_buffers()) for one in networks])
        for shared in self.weights.values():
            shared.requires_grad_()
        for place, network in enumerate(networks):
            everything = self.weights | self.buffers
            _set(network, {name: shared.detach()[place] for name, shared in everything.items()})

    def release(self) -> None:
        """Give each network weights of its own: a file of a view would hold those of all."""
        for network in self.networks:
            _set(network, {name: one.clone() for name, one in network.state_dict().items()})

    def state(self) -> dict[str, dict[str, Tensor]]:
        """Return weights and buffers of all networks, for a snapshot."""
        return {
            "weights": {name: one.detach() for name, one in self.weights.items()},
            "buffers": self.buffers,
        }

    @torch.no_grad()
    def restore(self, state: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Set what `state` returned."""
        for mine, saved in ((self.weights, state["weights"]), (self.buffers, state["buffers"])):
            for name, shared in mine.items():
                shared.copy_(saved[name])

    def __call__(self, images: Tensor, masks: Masks) -> Tensor:
        """Compute logits (networks, n, classes) of images (networks, n, c, h, w), as in training.

        masks: {dropout layer: factors (networks, n, units)}.
        """
        x = images
        for name, layer in self.layers.items():
            x = self._layer(name, layer, x, masks)
        return x

    def _layer(self, name: str, layer: nn.Module, x: Tensor, masks: Masks) -> Tensor:
        networks = len(self.networks)
        if isinstance(layer, nn.Flatten):
            rows = x if x.ndim == 5 else x.unflatten(1, (networks, -1)).transpose(0, 1)
            return rows.flatten(2)
        if isinstance(layer, nn.Linear):
            weight = self.weights[f"{name}.weight"].transpose(1, 2)
            return torch.baddbmm(self.weights[f"{name}.bias"][:, None], x, weight)
        if isinstance(layer, nn.Dropout):
            return x * masks[name]
        if x.ndim == 5:
            x = x.transpose(0, 1).flatten(1, 2).contiguous(memory_format=torch.channels_last)
        if isinstance(layer, nn.Conv2d):
            bias = self.weights.get(f"{name}.bias")
            return functional.conv2d(
                x,
                self.weights[f"{name}.weight"].flatten(0, 1),
                None if bias is None else bias.flatten(),
                layer.stride,
                layer.padding,
                groups=networks,
            )
        return self._norm(name, layer, x) if isinstance(layer, nn.BatchNorm2d) else layer(x)

    def _norm(self, name: str, norm: nn.BatchNorm2d, x: Tensor) -> Tensor:
        weight, bias = (self.weights[f"{name}.{part}"].flatten() for part in ("weight", "bias"))
        mean, variance = (self.buffers[f"{name}.running_{part}"].view(-1) for part in ("mean", "var"))
        self.buffers[f"{name}.num_batches_tracked"].add_(1)
        momentum = present(norm.momentum)
        return functional.batch_norm(x, mean, variance, weight, bias, True, momentum, norm.eps)

    def masks(self, place: int, images: int, precision: str) -> dict[str, Tensor]:
        """Draw factors (images, units) of one network's dropout from the global generator, as it would."""
        drawn, units = {}, 0
        weight = next(iter(self.weights.values()))
        dtype = torch.bfloat16 if precision == "bf16" else weight.dtype
        for name, layer in self.networks[place].named_children():
            if isinstance(layer, nn.Linear):
                units = layer.out_features
            elif isinstance(layer, nn.Dropout):
                ones = torch.ones(images, units, dtype=dtype, device=weight.device)
                drawn[name] = functional.dropout(ones, layer.p)
        return drawn

    def joined(self, drawn: Sequence[Masks]) -> dict[str, Tensor]:
        """Join what `masks` drew for each network; those without dropout keep all units."""
        found = {}
        for name, some in max(drawn, key=len).items():
            found[name] = torch.stack([masks.get(name, torch.ones_like(some)) for masks in drawn])
        return found


def _set(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Put tensors, without copies, in the place of a network's weights and buffers."""
    for name, parameter in network.named_parameters():
        parameter.data = tensors[name]
    for name, _ in list(network.named_buffers()):
        module, _, own = name.rpartition(".")
        network.get_submodule(module)._buffers[own] = tensors[name]


def _stacked(named: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Join the tensors of all networks along a new first dimension; kernels stay in channels-last format."""
    found = {}
    for name, first in named[0].items():
        tensors = [one[name].detach() for one in named]
        if first.ndim == 4:
            moved = torch.stack([one.permute(0, 2, 3, 1) for one in tensors])
            found[name] = moved.permute(0, 1, 4, 2, 3)
        else:
            found[name] = torch.stack(tensors)
    return found


@dataclass
class Updates:
    """One optimizer for a stack: networks beside each other that have the same rates form one of its groups.

    settings: of each network, those of equal `rates` beside each other.
    """

    stack: Stack
    settings: Sequence[TrainingSettings]

    def __post_init__(self):
        keys = [rates(one) for one in self.settings]
        firsts = [place for place, key in enumerate(keys) if place == 0 or key != keys[place - 1]]
        self.parts = list(zip(firsts, [*firsts[1:], len(keys)], strict=True))
        made: optim.Optimizer | None = None
        for first, end in self.parts:
            mine = [nn.Parameter(shared.detach()[first:end]) for shared in self.stack.weights.values()]
            if made is None:
                made = make_optimizer(mine, self.settings[0])
            else:
                own = make_optimizer(mine, self.settings[first]).param_groups[0]
                made.add_param_group(own)
        self.optimizer = present(made)

    def step(self, losses: Tensor, step: int, steps: int) -> None:
        """Update each network by the gradient of its loss; step: from 0, of `steps`."""
        for shared in self.stack.weights.values():
            shared.grad = None
        losses.sum().backward()
        for (first, end), group in zip(self.parts, self.optimizer.param_groups, strict=True):
            group["lr"] = learning_rate(self.settings[first], step, steps)
            for mine, shared in zip(group["params"], self.stack.weights.values(), strict=True):
                mine.grad = present(shared.grad)[first:end]
        self.optimizer.step()

    def of(self, place: int) -> optim.Optimizer:
        """Return the optimizer of one network by itself, with its state."""
        own = make_optimizer(self.stack.networks[place].parameters(), self.settings[place])
        for (first, end), group in zip(self.parts, self.optimizer.param_groups, strict=True):
            if first <= place < end:
                own.param_groups[0]["lr"] = group["lr"]
                for mine, theirs in zip(own.param_groups[0]["params"], group["params"], strict=True):
                    own.state[mine] = {
                        name: value[place - first].clone() if value.shape == theirs.shape else value.clone()
                        for name, value in self.optimizer.state[theirs].items()
                    }
        return own


def rates(settings: TrainingSettings) -> tuple:
    """Return what the networks of one group of an optimizer have in common."""
    return settings.learning_rate, settings.momentum, settings.weight_decay, settings.schedule
