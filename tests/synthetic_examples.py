"""Made-up tables of networks whose labels grow complex, and whose informative examples are lost first."""

import numpy as np
import pandas as pd
import synthetic

FRACTIONS = (0.0, 0.4, 0.8, 1.0)


def tables(networks=2, sign=1, simpler=0.3, epochs=200, seed=0, **settings) -> dict[str, pd.DataFrame]:
    """Runs, areas, kernel, examples, informative.

    sign -1: complexity falls with corruption, as areas do; wrong labels tell less than true ones, and the
    residual tells still less of them; the least informative examples are lost first. simpler: how much
    simpler labels are after training than before, as a share.
    """
    random = np.random.default_rng(seed)
    keys = [(fraction, s) for fraction in FRACTIONS for s in range(networks)]
    names = [f"corrupt-{fraction}_seed-{s}" for fraction, s in keys]
    runs = synthetic.runs_table(
        names, [fraction for fraction, _ in keys], [s for _, s in keys], epochs=epochs, **settings
    )
    areas, kernel, examples, informative = [], [], [], []
    for name, (fraction, _) in zip(names, keys, strict=True):
        place = fraction if sign > 0 else 1 - fraction
        for ordering in range(3):
            area = 0.6 - 0.3 * fraction + 0.01 * random.normal()
            areas.append({
                "run": name, "clamp": "zero", "ordering": ordering, "auc": 0.1 + 0.9 * area,
                "auc_relative": 0.1 + 0.9 * area, "auc_chance_corrected": area,
            })  # fmt: skip
        for epoch, learned in ((0, 0.0), (epochs, simpler)):
            kernel.append({
                "run": name, "epoch": epoch, "images": 500, "trace": 100.0, "ridge": 0.1,
                "complexity": (1 + 0.8 * place) * (1 - learned), "complexity_shuffled": 1.8,
                "alignment": 0.4, "alignment_shuffled": 0.05,
            })  # fmt: skip
        wrong = random.random(200) < 0.9 * fraction
        score = random.normal(size=200) + 2 * sign * wrong
        examples.append(
            pd.DataFrame(
                {
                    "run": name,
                    "image": range(200),
                    "label": 0,
                    "labels": np.where(wrong, "corrupted", "clean"),
                    "information": np.exp(score),
                    "weight_information": np.exp(score),
                    "residual": np.exp(0.5 * score),
                    "left_out_residual": np.exp(score + 2 * sign * wrong),
                    "early_loss": np.exp(score + wrong),
                    "loss": np.exp(-score),
                }
            )  # fmt: skip
        )
        for score in ("information", "early_loss"):
            for labels in ("all", "clean"):
                for part, less in (("most", 0.15 * sign), ("least", -0.15 * sign)):
                    informative += curves(name, score, labels, part, 0.6 - less + 0.01 * random.normal())
    return {
        "runs": runs, "areas": pd.DataFrame(areas), "kernel": pd.DataFrame(kernel),
        "examples": pd.concat(examples), "informative": pd.DataFrame(informative),
    }  # fmt: skip


def curves(name: str, score: str, labels: str, part: str, area: float) -> list[dict]:
    """Rows of straight curves, that much accuracy on average: three orderings, five points."""
    return [
        {
            "run": name, "ranked_by": score, "labels": labels, "part": part, "images": 20,
            "ordering": ordering, "ablated": ablated, "units": 100, "split": "train", "loss": 1.0,
            "accuracy": area + (0.3 - 0.006 * ablated) + 0.01 * (ordering - 1),
        }
        for ordering in range(3)
        for ablated in (0, 25, 50, 75, 100)
    ]  # fmt: skip
