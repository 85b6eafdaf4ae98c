"""Ablating every unit alone, on a network that is a chain of layers.

What a unit adds to the sums of the next layer is taken out of them, one thin product; only what follows those
sums is computed anew. A unit with nothing to add has no importance at all, not a little by rounding.
"""

from collections.abc import Container, Iterator, Mapping

import torch
from torch import Tensor

from directions.chains import Chain, Values
from directions.products import Product


class Alone:
    """Each of `units` clamped alone to its layer's value. Numbered through `layers` {name: units}."""

    def __init__(self, chain: Chain, layers: Mapping[str, int], values: Values, units: Container[int]):
        self.chain, self.layers, self.values, self.units = chain, layers, values, units
        widths = [layers[chain.layers[0]], *(len(link.weight) for link in chain.links[:-1])]
        self._products = [
            Product(link, link.by_unit(width)) for link, width in zip(chain.links, widths, strict=True)
        ]

    def answers(self, inputs: Tensor) -> Iterator[tuple[int, Tensor]]:
        """(row, logits (n, classes)) on inputs (n, c, h, w): -1 with nothing off, then a row per unit."""
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
        """What a link makes of the activity (n, units, ...) of the layer before it."""
        link = self.chain.links[place]
        sums = self._products[place](link.pooled(activity), len(link.weight))
        sums += link.bias.view(1, -1, *[1] * (sums.dim() - 2))
        if constants[place] is not None:
            sums += constants[place]
        return sums

    def _above_value(self, place: int, name: str, activity: Tensor) -> Tensor:
        """By how much the pooled activity of each unit exceeds that of the unit clamped."""
        link, value = self.chain.links[place], self.values[name]
        pooled = link.pooled(activity)
        if not isinstance(value, Tensor):
            if value == 0:
                return pooled
            value = torch.full_like(activity[0], value)
        elif value.dim() < activity.dim() - 1:  # one number for a whole map
            value = value.view(-1, 1, 1).expand_as(activity[0])
        return pooled - link.pooled(value[None])
