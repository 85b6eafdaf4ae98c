"""How complex training labels are to a network's tangent kernel: supervision complexity (docs/BEYOND.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from directions.core.columns import Column, amount, count
from directions.core.types import Count
from directions.study.analysis_spec import AnalysisSpec
from directions.study.settings import number, setting, whole, whole_or_all

if TYPE_CHECKING:
    import pandas as pd
    from torch import Tensor

    from directions.analyses.network import Trained


@dataclass(frozen=True)
class Settings:
    """Settings of supervision complexity."""

    images: Count = setting(
        1000, "training images, drawn at random: all, or at most so many", whole_or_all(10)
    )
    ridge: float = setting(
        0.001,
        "added to the kernel's diagonal, as a share of its mean",
        number("a number > 0", exclusiveMinimum=0),
    )
    shuffles: int = setting(5, "random orders of the labels, for what chance gives", whole(1))


SPEC = AnalysisSpec(
    table="kernel",
    rows="one row per checkpoint of a network",
    settings=Settings,
    columns=(
        amount("epoch", "of the checkpoint, as in `checkpoints`"),
        count("images", "number of training images"),
        amount(
            "trace", "mean of the kernel's diagonal: squared size of an output's gradient, mean over images"
        ),
        amount("ridge", "what was added to the diagonal"),
        amount(
            "complexity",
            "supervision complexity of the labels trained on: root of the trace of K times the sum over"
            " classes of y' (K + ridge)^-1 y, divided by the number of images, with y the labels as 0 or 1"
            " less their mean",
        ),
        amount("complexity_shuffled", "the same for the same labels in random order, mean over orders"),
        Column("alignment", "cosine between the centred kernel and y y', from -1 to 1", low=-1, high=1),
        Column("alignment_shuffled", "the same for labels in random order, mean over orders", low=-1, high=1),
    ),
    cost=lambda settings, sizes: (60 * sizes.checkpoints, 1.0),
    resumes=False,
    checkpoints=True,
)


def observe(trained: Trained, settings: Settings) -> pd.DataFrame:
    """Build the table with the columns of `SPEC`."""
    import pandas as pd
    import torch

    from directions.analyses import subset
    from directions.analyses.kept_weights import kept_weights
    from directions.analyses.tangent_kernel import tangent_kernel
    from directions.core.seeds import stream

    examples = subset.at_most(trained.examples("train"), settings.images, "train")
    targets = torch.nn.functional.one_hot(examples.labels.cpu(), examples.classes).double()
    targets -= targets.mean(0)
    orders = stream("shuffled labels", trained.seed)
    shuffled = [targets[orders.permutation(len(targets))] for _ in range(settings.shuffles)]
    rows = []
    for checkpoint, state in kept_weights(trained):
        trained.load(state)
        kernel = tangent_kernel(trained.model, examples.images).cpu()
        trace = kernel.trace().item() / len(kernel)
        ridge = settings.ridge * trace
        given, chance = (
            (complexity(kernel, ridge, of), alignment(kernel, of)) for of in (targets, torch.stack(shuffled))
        )
        row = {"epoch": checkpoint.epoch, "images": len(kernel), "trace": trace, "ridge": ridge}
        for name, value, null in zip(("complexity", "alignment"), given, chance, strict=True):
            row |= {name: value.item(), f"{name}_shuffled": null.mean().item()}
        rows.append(row)
    return pd.DataFrame(rows)[SPEC.names]


def complexity(kernel: Tensor, ridge: float, targets: Tensor) -> Tensor:
    """Compute sqrt(sum_k y_k' (K + ridge)^-1 y_k tr K) / n of targets (..., n, classes) (Harutyunyan 2023).

    The labels' norm in the space of functions that the kernel spans: that of the smallest function which
    gives them. Divided by the number of images, times the root of the trace, it bounds how far test
    error can exceed training error, and does not depend on the kernel's scale.
    """
    import torch

    factor = torch.linalg.cholesky(kernel + ridge * torch.eye(len(kernel), dtype=kernel.dtype))
    solved = torch.cholesky_solve(targets, factor)
    return ((targets * solved).sum((-1, -2)) * kernel.trace()).sqrt() / len(kernel)


def alignment(kernel: Tensor, targets: Tensor) -> Tensor:
    """Compute the cosine between the centred kernel and the products of centred targets (..., n, classes)."""
    import torch

    centred = kernel - kernel.mean(0) - kernel.mean(1)[:, None] + kernel.mean()
    alike = (targets * (centred @ targets)).sum((-1, -2))
    size = torch.linalg.matrix_norm(targets.mT @ targets)  # of targets @ targets.mT as well
    return alike / (torch.linalg.matrix_norm(centred) * size)
