"""Made-up tables of a bound on the generalisation gap, by fraction of labels corrupted."""

import numpy as np
import pandas as pd
import synthetic

FRACTIONS = (0.0, 0.5, 1.0)
SIZES = (75, 250)


def tables(
    networks=3, hidden="128x128", sign=1, scale=2.0, lowest=0.05, seed=0, **settings
) -> dict[str, pd.DataFrame]:
    """Runs and cmi: gap and bound grow with the fraction corrupted, and the area kept falls.

    sign -1: the area rises, and the bound beyond chance falls. scale: of the bound, relative to the gap.
    lowest: the gap with true labels.
    """
    random = np.random.default_rng(seed)
    keys = [(fraction, s) for fraction in FRACTIONS for s in range(networks)]
    names = [f"corrupt-{fraction}_seed-{s}" for fraction, s in keys]
    runs = synthetic.runs_table(
        names, [fraction for fraction, _ in keys], [s for _, s in keys], hidden=hidden,
        **{"dataset": "mnist_4v9", "train_images": 2000, "classes": 2} | settings,
    )  # fmt: skip
    rows = []
    for name, (fraction, _) in zip(names, keys, strict=True):
        for pairs in SIZES:
            for number in range(3):
                gap = lowest + 0.4 * fraction + 10 / pairs**2 + 0.005 * random.normal()
                bound = scale * gap
                rows.append({
                    "run": name, "pairs": pairs, "supersample": number, "splits": 30,
                    "train_accuracy": 1.0, "test_accuracy": 1 - gap, "gap": gap, "bound": bound,
                    "null_bound": 0.3 * bound if sign == 1 else bound - 0.05 + 0.04 * fraction,
                    "bound_predictions": bound, "null_bound_predictions": 0.3 * bound,
                    "kept": 0.7 - sign * 0.3 * gap + 0.003 * random.normal(),
                })  # fmt: skip
    return {"runs": runs.assign(changed_share=0.5 * runs["corrupt"]), "cmi": pd.DataFrame(rows)}
