"""Single-unit ablation on a network that is a chain of layers.

A unit's contribution to the sums of the next layer is subtracted from them, as one thin product; only what
follows those sums is recomputed. A unit that contributes nothing has an importance of exactly 0.
"""

from collections.abc import Container, Iterator, Mapping

import torch
from torch import Tensor

from directions.interventions.chain import Chain, Values
from directions.interventions.winograd import Product


class Alone:
    """Clamp each of `units` alone to its layer's value; units are numbered through `layers` {name: units}."""

    def __init__(self, chain: Chain, layers: Mapping[str, int], values: Values, units: Container[int]):
        self.chain, self.layers, self.values, self.units = chain, layers, values, units
        widths = [layers[chain.layers[0]], *(len(link.weight) for link in chain.links[:-1])]
        self._products = [
            Product(link, link.by_unit(width)) for link, width in zip(chain.links, widths, strict=True)
        ]

    def answers(self, inputs: Tensor) -> Iterator[tuple[int, Tensor]]:
        """Yield (row, logits (n, classes)) on inputs (n, c, h, w): -1 with none off, then a row per unit."""
        links = self.chain.links
        activity, *joined = self.chain.prefix(inputs)
        constants = iter(joined)
        constants = [None if link.joined is None else next(constants) for link in links]
        activities, sums = [activity], []
        for place in range(len(links)):
            sums.append(self._sums(place, activities[-1], constants))
            activities.append(links[place].activation(sums[-1]))
        yield -1, activities[-1]
        row, number = 0, -1
        for place, name in enumerate(self.chain.layers):
            if name not in self.layers:
                continue
            share = self._above_value(place, name, activities[place])
            weight = links[place].by_unit(share.shape[1])
            for unit in range(share.shape[1]):
                number += 1
                if number not in self.units:
                    continue
                without = sums[place].clone()
                links[place].add_product(without, -share[:, unit : unit + 1], weight[:, unit : unit + 1])
                for later in range(place + 1, len(links)):
                    without = self._sums(later, links[later - 1].activation(without), constants)
                yield row, links[-1].activation(without)
                row += 1

    def _sums(self, place: int, activity: Tensor, constants: list[Tensor | None]) -> Tensor:
        """Compute a link's sums from the activity (n, units, ...) of the layer before it."""
        link = self.chain.links[place]
        sums = self._products[place](link.pooled(activity), len(link.weight))
        sums += link.bias.view(1, -1, *[1] * (sums.dim() - 2))
        if (constant := constants[place]) is not None:
            sums += constant
        return sums

    def _above_value(self, place: int, name: str, activity: Tensor) -> Tensor:
        """Subtract the clamp value from each unit's activity, both pooled."""
        link, value = self.chain.links[place], self.values[name]
        pooled = link.pooled(activity)
        if not isinstance(value, Tensor):
            if value == 0:
                return pooled
            value = torch.full_like(activity[0], value)
        elif value.dim() < activity.dim() - 1:  # one number per feature map
            value = value.view(-1, 1, 1).expand_as(activity[0])
        return pooled - link.pooled(value[None])
