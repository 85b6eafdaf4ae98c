import numpy as np
import torch
from torch import nn

from directions.core.scoring import scaled
from directions.interventions.flips import flips
from directions.interventions.hooks import clamped


def slowly(model, layer: str, units: int, image: torch.Tensor, label: int) -> float:
    """The same for one image, with hooks that clamp, and central differences for the gradient."""

    def margin(gone: list[int], unit: int | None = None, scale: float = 1.0) -> float:
        def scaling(_module, _inputs, output):
            if unit is not None:
                output = output.clone()
                output[:, unit] *= scale
            return output

        module = model.get_submodule(layer)
        handle = module.register_forward_hook(scaling)
        with clamped(module, torch.tensor(gone, dtype=torch.long)), torch.no_grad():
            logits = model(scaled(image[None]))[0]
        handle.remove()
        others = torch.cat([logits[:label], logits[label + 1 :]])
        return float(logits[label] - others.max())

    gone: list[int] = []
    while margin(gone) > 0:
        left = [unit for unit in range(units) if unit not in gone]
        if not left:
            return np.nan
        worth = [margin(gone, unit, 1.001) - margin(gone, unit, 0.999) for unit in left]
        gone.append(left[int(np.argmax(worth))])
    return len(gone)


def test_units_go_in_the_order_of_what_they_are_worth():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 36, 3)).double().eval()
    model.float()
    images = torch.randint(0, 256, (12, 1, 8, 8), dtype=torch.uint8)
    with torch.no_grad():
        labels = model(scaled(images)).argmax(1)
    labels[0] = (labels[0] + 1) % 3  # wrong from the start
    found = flips(model.requires_grad_(False), {"1": 6}, images, labels)
    expected = [slowly(model, "1", 6, image, int(label)) for image, label in zip(images, labels, strict=True)]
    np.testing.assert_array_equal(found, expected)
    assert found[0] == 0
    assert len(set(found[~np.isnan(found)])) > 2
    assert not any(module._forward_hooks for module in model.modules())


def test_an_answer_that_needs_no_unit_never_changes():
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2)).eval()
    with torch.no_grad():
        model[3].weight.zero_()
        model[3].bias.copy_(torch.tensor([1.0, 0.0]))
    images = torch.randint(0, 256, (3, 1, 2, 2), dtype=torch.uint8)
    found = flips(model, {"2": 5}, images, torch.tensor([0, 0, 1]))
    np.testing.assert_array_equal(found, [np.nan, np.nan, 0])
