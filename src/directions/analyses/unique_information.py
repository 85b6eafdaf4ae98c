"""How much a network would change without one of its training examples: unique information.

Harutyunyan et al. (2021): half the squared change, if an example is left out, of the outputs on other images
(functional) or of the weights. It is a divergence in nats between networks whose outputs, or weights, carry
Gaussian noise of variance 1.

Trained from weights w0 on labels as 0 and 1 by half the squared error plus ridge/2 |w - w0|^2, a wide network
changes its outputs as kernel regression with its tangent kernel at w0 does. What leaving out an example does
to that has a closed form, by one inverse for all examples.
"""

import copy
from dataclasses import dataclass
from itertools import islice

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, one_hot

from directions.analyses import subset
from directions.analyses.example_settings import ScoreSettings
from directions.analyses.kept_weights import kept_weights
from directions.analyses.network import Trained
from directions.analyses.tangent_kernel import inputs, tangent_kernel
from directions.core.errors import InputError
from directions.core.scoring import pass_size, passes
from directions.core.types import Images
from directions.data.examples import Examples

MARGIN = 1.5  # of the largest eigenvalue, because the kernel grows while a network learns


@dataclass(frozen=True)
class LeftOut:
    """What leaving out each of n examples does.

    functional: half the squared change of the outputs, mean over the scored images (n,). weights: half the
    squared change of the weights (n,). residuals: target less output, trained on all examples (n, k).
    left_out_residuals: target less output, trained without the example (n, k).
    """

    functional: Tensor
    weights: Tensor
    residuals: Tensor
    left_out_residuals: Tensor


def left_out(kernel: Tensor, across: Tensor, targets: Tensor, ridge: float) -> LeftOut:
    """Solve kernel regression without each of the examples.

    Args:
        kernel: (n, n) of the training images.
        across: (m, n) of scored and training images.
        targets: less the outputs before training, (n, k).
        ridge: weight of the penalty, > 0.
    """
    inverse = torch.linalg.inv(kernel + ridge * torch.eye(len(kernel), dtype=kernel.dtype))
    coefficients = inverse @ targets  # outputs change by kernel @ coefficients
    gone = coefficients / inverse.diagonal()[:, None]
    size = gone.square().sum(1) / 2
    return LeftOut(
        functional=size * (across @ inverse).square().mean(0),
        weights=size * (inverse * (kernel @ inverse)).sum(0),
        residuals=ridge * coefficients,
        left_out_residuals=gone,
    )


@dataclass(frozen=True)
class Problem:
    """Training from given weights: images (n, ...), targets (n, k), scored images (m, ...), and the ridge."""

    images: Images
    targets: Tensor
    scored: Images
    ridge: float
    kernel: Tensor


def posed(trained: Trained, settings: ScoreSettings) -> tuple[nn.Module, Problem]:
    """Return the network with its weights before training, and what it is to be trained on."""
    train, test = (
        subset.at_most(trained.examples(split), wanted, split)
        for split, wanted in (("train", settings.images), ("test", settings.scored))
    )
    [(_, start)] = islice(kept_weights(trained), 1)
    model = copy.deepcopy(trained.model)
    model.load_state_dict(start)
    kernel = tangent_kernel(model, train.images)
    targets = one_hot(train.labels, train.classes).double()
    ridge = settings.ridge * kernel.diagonal().mean().item()
    return model, Problem(train.images, targets, test.images, ridge, kernel)


def scores(trained: Trained, settings: ScoreSettings) -> pd.DataFrame:
    """Build the table of measure_examples, without trainings.

    Raises InputError if the weights before training, and early ones, were not kept.
    """
    train = trained.examples("train")
    places = subset.places(len(train), settings.images, "train")
    examples = subset.of(train, places)
    kept = list(islice(kept_weights(trained), 2))
    if kept[0][0].step != 0 or len(kept) == 1:
        raise InputError(
            f"the first weights kept are those after epoch {kept[0][0].epoch:g}: keep_epochs must list 0, the"
            " start, and an early epoch such as 3"
        )
    early = copy.deepcopy(trained.model)
    early.load_state_dict(kept[1][1])
    model, problem = posed(trained, settings)
    across = tangent_kernel(model, problem.scored, problem.images)
    with torch.no_grad():
        missing = problem.targets - model(inputs(problem.images)).double()
    found = left_out(problem.kernel, across, missing, problem.ridge)
    changed = torch.zeros(len(places), dtype=torch.bool) if examples.changed is None else examples.changed
    columns = {
        "image": places,
        "label": examples.labels,
        "information": found.functional,
        "weight_information": found.weights,
        "residual": torch.linalg.vector_norm(found.residuals, dim=1),
        "left_out_residual": torch.linalg.vector_norm(found.left_out_residuals, dim=1),
        "early_loss": losses(early, examples),
        "loss": losses(trained.model, examples),
    }
    table = pd.DataFrame({name: values.cpu().numpy() for name, values in columns.items()})
    return table.assign(labels=np.where(changed.cpu().numpy(), "corrupted", "clean"))


@torch.no_grad()
def losses(model: nn.Module, examples: Examples) -> Tensor:
    """Compute the cross-entropy of every example in nats, (n,)."""
    batches = passes(examples.images, examples.labels, pass_size(model, examples.images))
    return torch.cat([cross_entropy(model(images), labels, reduction="none") for images, labels in batches])


def retrained(trained: Trained, settings: ScoreSettings, chosen: list[int], steps: int) -> list[float]:
    """Measure the functional information of chosen examples by training the network without each of them."""
    model, problem = posed(trained, settings)
    every = torch.arange(len(problem.targets))
    scored = inputs(problem.scored)
    with torch.no_grad():
        whole = solved(model, problem, every, steps)(scored)
        changes = [solved(model, problem, every[every != left], steps)(scored) - whole for left in chosen]
    return [change.square().sum(1).mean().item() / 2 for change in changes]


@torch.enable_grad()
def solved(model: nn.Module, problem: Problem, used: Tensor, steps: int) -> nn.Module:
    """Train a copy of the network on the used examples, by so many steps of gradient descent.

    Full batches, with Nesterov's momentum; learning rate and momentum suit the kernel's largest eigenvalue.
    The steps are the same with and without an example, so what they have not learned yet cancels out.
    """
    images, targets = inputs(problem.images[used]), problem.targets[used].float()
    model = copy.deepcopy(model).requires_grad_(True)
    weights = list(model.parameters())
    start = [weight.detach().clone() for weight in weights]
    steepest = MARGIN * torch.linalg.eigvalsh(problem.kernel)[-1].item() + problem.ridge
    root = (steepest / problem.ridge) ** 0.5
    optimizer = torch.optim.SGD(weights, lr=1 / steepest, momentum=(root - 1) / (root + 1), nesterov=root > 1)
    for _ in range(steps):
        optimizer.zero_grad()
        moved = sum(
            ((now - then).square().sum() for now, then in zip(weights, start, strict=True)), torch.zeros(())
        )
        loss = ((model(images) - targets).square().sum() + problem.ridge * moved) / 2
        loss.backward()
        optimizer.step()
    return model
