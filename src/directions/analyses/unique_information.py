"""How much a network would change without one of its training examples: unique information.

Harutyunyan et al. (2021): half the squared change, if an example is left out, of the outputs on other images
(functional) or of the weights. It is a divergence in nats between networks whose outputs, or weights, carry
Gaussian noise of variance 1.

Trained from weights w0 on labels as 0 and 1 by half the squared error plus ridge/2 |w - w0|^2, a wide network
changes its outputs as kernel regression with its tangent kernel at w0 does. What leaving out an example does
to that has a closed form, by one inverse for all examples.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
    """Training a network from its initial weights on some of its examples, and scoring it on other images.

    start: the network before training, early: at the next checkpoint. places: of the examples in the training
    set (n,). targets: labels as 0 and 1, on the CPU (n, classes). scored: images (m, ...). kernel: (n, n).
    """

    start: nn.Module
    early: nn.Module
    examples: Examples
    places: Tensor
    targets: Tensor
    scored: Images
    kernel: Tensor
    ridge: float


def posed(trained: Trained, settings: ScoreSettings) -> Problem:
    """Pose the problem of a network. Raises InputError if initial or early weights were not kept."""
    kept = list(islice(kept_weights(trained), 2))
    if kept[0][0].step != 0 or len(kept) == 1:
        raise InputError(
            f"the first weights kept are those after epoch {kept[0][0].epoch:g}: keep_epochs must list 0, the"
            " start, and an early epoch such as 3"
        )
    start, early = (copy.deepcopy(trained.model) for _ in kept)
    for model, (_, state) in zip((start, early), kept, strict=True):
        model.load_state_dict(state)
    train = trained.examples("train")
    places = subset.places(len(train), settings.images, "train")
    examples = subset.of(train, places)
    targets = one_hot(examples.labels.cpu(), examples.classes).double()
    scored = subset.at_most(trained.examples("test"), settings.scored, "test").images
    kernel = tangent_kernel(start, examples.images)
    ridge = settings.ridge * kernel.diagonal().mean().item()
    return Problem(start, early, examples, places, targets, scored, kernel, ridge)


def scores(trained: Trained, problem: Problem) -> pd.DataFrame:
    """Build the table of measure_examples, without trainings."""
    examples = problem.examples
    across = tangent_kernel(problem.start, problem.scored, examples.images)
    with torch.no_grad():
        missing = problem.targets - problem.start(inputs(examples.images)).double().cpu()
    found = left_out(problem.kernel, across, missing, problem.ridge)
    changed = torch.zeros(len(examples), dtype=torch.bool) if examples.changed is None else examples.changed
    columns = {
        "image": problem.places,
        "label": examples.labels,
        "information": found.functional,
        "weight_information": found.weights,
        "residual": torch.linalg.vector_norm(found.residuals, dim=1),
        "left_out_residual": torch.linalg.vector_norm(found.left_out_residuals, dim=1),
        "early_loss": losses(problem.early, examples),
        "loss": losses(trained.model, examples),
    }
    table = pd.DataFrame({name: values.cpu().numpy() for name, values in columns.items()})
    return table.assign(labels=np.where(changed.cpu().numpy(), "corrupted", "clean"))


@torch.no_grad()
def losses(model: nn.Module, examples: Examples) -> Tensor:
    """Compute the cross-entropy of every example in nats, (n,)."""
    batches = passes(examples.images, examples.labels, pass_size(model, examples.images))
    return torch.cat([cross_entropy(model(images), labels, reduction="none") for images, labels in batches])


def retrained(problem: Problem, chosen: list[int], steps: int) -> list[float]:
    """Measure the functional information of chosen examples by training the network without each of them.

    By so many steps of gradient descent on all examples, with Nesterov's momentum; learning rate and momentum
    suit the kernel's largest eigenvalue. The steps are the same with and without an example, so what they
    have not learned yet cancels out.
    """
    steepest = MARGIN * torch.linalg.eigvalsh(problem.kernel)[-1].item() + problem.ridge
    root = (steepest / problem.ridge) ** 0.5
    descent = partial(torch.optim.SGD, lr=1 / steepest, momentum=(root - 1) / (root + 1), nesterov=True)
    images, scored = inputs(problem.examples.images), inputs(problem.scored)
    targets = problem.targets.to(images)

    def outputs(used: Tensor) -> Tensor:
        model = solved(problem.start, images[used], targets[used], problem.ridge, descent, steps)
        with torch.no_grad():
            return model(scored)

    every = torch.arange(len(targets), device=images.device)
    whole = outputs(every)
    changes = [outputs(every[every != left]) - whole for left in chosen]
    return [change.square().sum(1).mean().item() / 2 for change in changes]


@torch.enable_grad()
def solved(
    start: nn.Module, images: Tensor, targets: Tensor, ridge: float, descent: Callable, steps: int
) -> nn.Module:
    """Train a copy of the network by half the squared error plus ridge/2 |w - w0|^2."""
    model = copy.deepcopy(start).requires_grad_(True)
    weights = list(model.parameters())
    before = [weight.detach().clone() for weight in weights]
    optimizer = descent(weights)
    for _ in range(steps):
        optimizer.zero_grad()
        moved = sum(
            ((now - then).square().sum() for now, then in zip(weights, before, strict=True)), torch.zeros(())
        )
        loss = ((model(images) - targets).square().sum() + ridge * moved) / 2
        loss.backward()
        optimizer.step()
    return model
