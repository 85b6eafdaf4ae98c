"""What leaving out an example does: the closed form against leaving it out, and where the answer is known."""

import numpy as np
import pandas as pd
import pytest
import torch
from torch import nn

from directions.analyses import ablate_examples, measure_examples
from directions.analyses import unique_information as unique
from directions.analyses.measure_kernel import alignment, complexity
from directions.analyses.tangent_kernel import tangent_kernel
from directions.data.examples import Examples

N, SCORED, CLASSES, RIDGE = 12, 5, 3, 0.7


@pytest.fixture(scope="module")
def problem():
    random = torch.Generator().manual_seed(0)
    features = torch.randn(N + SCORED, 6, generator=random, dtype=torch.float64)
    kernel = features @ features.T
    return kernel[:N, :N], kernel[N:, :N], torch.randn(N, CLASSES, generator=random, dtype=torch.float64)


def solution(kernel, targets):
    return torch.linalg.solve(kernel + RIDGE * torch.eye(len(kernel), dtype=torch.float64), targets)


def test_the_closed_form_is_what_leaving_out_gives(problem):
    kernel, across, targets = problem
    found = unique.left_out(kernel, across, targets, RIDGE)
    whole = solution(kernel, targets)
    for i in range(N):
        rest = [j for j in range(N) if j != i]
        without = torch.zeros_like(whole)
        without[rest] = solution(kernel[rest][:, rest], targets[rest])
        change = whole - without
        moved = (across @ change).square().sum(1).mean() / 2
        weights = (change * (kernel @ change)).sum() / 2
        torch.testing.assert_close(found.functional[i], moved, rtol=1e-8, atol=0)
        torch.testing.assert_close(found.weights[i], weights, rtol=1e-8, atol=0)
        torch.testing.assert_close(found.left_out_residuals[i], targets[i] - kernel[i] @ without)
        torch.testing.assert_close(found.residuals[i], targets[i] - kernel[i] @ whole)


def test_training_a_linear_network_without_an_example_gives_the_same():
    """A single dense layer is its own linearisation, so gradient descent must end at the closed form."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, CLASSES))
    images, scored = torch.randn(N, 1, 2, 2), torch.randn(SCORED, 1, 2, 2)
    targets = torch.eye(CLASSES, dtype=torch.float64)[torch.arange(N) % CLASSES]
    kernel = tangent_kernel(model, images)
    with torch.no_grad():
        missing = targets - model(images).double()
    closed = unique.left_out(kernel, tangent_kernel(model, scored, images), missing, RIDGE)
    examples = Examples(images, targets.argmax(1), CLASSES)
    problem = unique.Problem(model, model, examples, torch.arange(N), targets, scored, kernel, RIDGE)
    found = unique.retrained(problem, [0, 7], 400)
    assert found == pytest.approx(closed.functional[[0, 7]].tolist(), rel=1e-3)


@pytest.mark.parametrize(("wanted", "chosen"), [(1, [3]), (2, [3, 0]), (3, [3, 2, 0]), (9, [3, 1, 2, 0])])
def test_examples_to_retrain_without_are_spread_over_the_ranks(wanted, chosen):
    assert measure_examples.spread(np.array([3, 1, 2, 0]), wanted) == chosen


def test_tenths_are_of_each_class():
    """Class 1 tells more than class 0 throughout; half of each class has a wrong label."""
    scored = pd.DataFrame({
        "image": range(40), "label": [0] * 20 + [1] * 20, "labels": ["clean", "corrupted"] * 20,
        "information": range(40), "early_loss": range(40, 0, -1),
    })  # fmt: skip
    found = {tuple(names.values()): images for names, images in ablate_examples.tenths(scored)}
    assert found["information", "all", "most"] == [18, 19, 38, 39]
    assert found["information", "all", "least"] == [0, 1, 20, 21]
    assert found["information", "clean", "most"] == [18, 38]
    assert found["early_loss", "clean", "most"] == [0, 20]
    assert len(found) == 8


def test_classes_with_fewer_than_ten_examples_are_left_out():
    scored = pd.DataFrame({
        "image": range(19), "label": [0] * 10 + [1] * 9, "labels": "clean",
        "information": range(19), "early_loss": range(19),
    })  # fmt: skip
    assert {tuple(images) for _, images in ablate_examples.tenths(scored)} == {(9,), (0,)}


# --- supervision complexity ---


def test_complexity_of_a_diagonal_kernel():
    """y' K^-1 y = 4/2 + 1/1 = 3, the trace is 3, two images."""
    kernel = torch.diag(torch.tensor([2.0, 1.0], dtype=torch.float64))
    targets = torch.tensor([[2.0], [1.0]], dtype=torch.float64)
    assert complexity(kernel, 0.0, targets).item() == pytest.approx(3 / 2)
    assert complexity(5 * kernel, 0.0, targets).item() == pytest.approx(3 / 2)  # the scale does not matter
    assert complexity(kernel, 1.0, targets).item() == pytest.approx(((4 / 3 + 1 / 2) * 3) ** 0.5 / 2)


def test_a_kernel_made_of_the_labels_is_aligned_with_them():
    targets = torch.eye(3, dtype=torch.float64)[torch.arange(9) % 3]
    targets -= targets.mean(0)
    assert alignment(targets @ targets.T, targets).item() == pytest.approx(1)
    assert alignment(5 + 2 * targets @ targets.T, targets).item() == pytest.approx(1)
    other = torch.eye(3, dtype=torch.float64)[torch.arange(9) // 3]
    other -= other.mean(0)
    assert alignment(targets @ targets.T, torch.stack([targets, other])).tolist() == pytest.approx([1, 0])
