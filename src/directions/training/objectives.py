"""What a training step minimises: cross-entropy, the mean absolute error, or LIMIT (docs/BEYOND.md).

LIMIT (Harutyunyan et al. 2020) trains a classifier by gradients that an auxiliary network predicts from the
images alone, so that labels never reach the classifier directly. Only the gradient at the logits is
predicted. With a the logits of the classifier and r those of the auxiliary network, it is
softmax(a) - softmax(r), which is the gradient of the cross-entropy of a to the target softmax(r).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from directions import models
from directions.core.seeds import number
from directions.study.training_settings import TrainingSettings

Objective = Callable[[nn.Module, Tensor, Tensor], Tensor]


def plain(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Compute the mean cross-entropy in nats of images (n, c, h, w) and labels (n,)."""
    return cross_entropy(model(images), labels)


def mae(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """Compute the mean absolute error, sum_k |onehot_k - p_k| = 2 (1 - p_label), averaged over the images."""
    likely = model(images).float().softmax(1).gather(1, labels[:, None])
    return 2 * (1 - likely).mean()


@dataclass
class Limit:
    """LIMIT with its auxiliary network, of the classifier's architecture.

    laplace: the auxiliary network minimises the absolute instead of the squared error of its gradients.
    pull: lambda, the weight of the squared size of the predicted gradients, which draws the auxiliary network
    towards the classifier. sample: precision of the gradients drawn around the predicted ones; None: they are
    not drawn. summed: the classifier's gradient is the sum over the batch, not the mean.
    """

    auxiliary: nn.Module
    laplace: bool
    pull: float
    sample: float | None = None
    summed: bool = False

    def __call__(self, model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
        """Compute a loss whose gradients are those of both networks, each from its own part."""
        # a copy, because a network may work in place
        logits, others = model(images.clone()).float(), self.auxiliary(images).float()
        return self.of_classifier(logits, others.detach()) + self.of_auxiliary(
            others, logits.detach(), labels
        )

    def of_classifier(self, logits: Tensor, others: Tensor) -> Tensor:
        """Return what the classifier minimises; its gradient at the logits is the predicted one."""
        loss = cross_entropy(logits, others.softmax(1), reduction="none")
        if self.sample is not None:
            loss = loss + (logits * self.noise(logits)).sum(1)
        return loss.sum() if self.summed else loss.mean()

    def noise(self, logits: Tensor) -> Tensor:
        """Draw what is added to the predicted gradients (n, classes), from the global generator."""
        assert self.sample is not None
        if not self.laplace:
            return torch.randn_like(logits) * (2 * self.sample) ** -0.5
        return torch.distributions.Laplace(torch.zeros_like(logits), 1 / self.sample).sample()

    def of_auxiliary(self, others: Tensor, logits: Tensor, labels: Tensor) -> Tensor:
        """Return what the auxiliary network minimises: the error of its gradients, and their squared size."""
        error = others.softmax(1) - one_hot(labels, others.shape[1])  # true less predicted gradient
        fit = error.abs().sum(1) if self.laplace else error.square().sum(1)
        size = (logits.softmax(1) - others.softmax(1)).square().sum(1)
        return (fit + self.pull * size).mean()


def auxiliary(
    settings: dict, image_shape: tuple[int, int, int], classes: int, device: torch.device | str = "cpu"
) -> nn.Module | None:
    """Build the second network that the method limit trains, with weights of its own; None for others."""
    if settings.get("method") != "limit":
        return None
    own = settings | {"seed": number("auxiliary", settings["seed"])}
    return models.build(own, image_shape, classes).to(device)


def objective(settings: TrainingSettings, second: nn.Module | None) -> Objective:
    """Choose the objective; second: the network that `auxiliary` built."""
    if second is not None:
        return Limit(
            second,
            laplace=settings.limit_loss == "laplace",
            pull=settings.limit_lambda or 0.0,
            sample=settings.limit_sample,
            summed=bool(settings.limit_sum),
        )
    return mae if settings.method == "mae" else plain
