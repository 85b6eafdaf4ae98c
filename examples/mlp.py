"""A network of one's own, as an example: no part of the project knows of it.

To train it: snakemake --cores 1 -- data/mnist.safetensors && python examples/mlp.py
"""

from pathlib import Path

import torch
from torch import Tensor, nn, optim
from torch.nn.functional import cross_entropy, relu

from directions import data


class MLP(nn.Module):
    """Two hidden layers; its ReLUs are functions, no modules."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2, self.readout = nn.Linear(784, 128), nn.Linear(128, 128), nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Images (n, 1, 28, 28) in 0..1 to logits (n, 10)."""
        x = x.flatten(1)
        x = relu(self.fc1(x))
        x = relu(self.fc2(x))
        return self.readout(x)


def build() -> nn.Module:
    """What `build: examples/mlp.py:build` calls."""
    return MLP()


def train(path: Path) -> None:
    """Five epochs on MNIST; weights to `path`."""
    torch.set_num_threads(1)  # so small a network gains nothing from more
    mnist = data.load("data/mnist.safetensors")
    images, labels = torch.tensor(mnist.train_images) / 255, torch.tensor(mnist.train_labels)
    torch.manual_seed(0)
    network = build()
    optimizer = optim.Adam(network.parameters())
    for _epoch in range(5):
        for batch in torch.randperm(len(labels)).split(128):
            optimizer.zero_grad()
            cross_entropy(network(images[batch]), labels[batch]).backward()
            optimizer.step()
    torch.save(network.state_dict(), path)


if __name__ == "__main__":
    train(Path(__file__).with_suffix(".pt"))
