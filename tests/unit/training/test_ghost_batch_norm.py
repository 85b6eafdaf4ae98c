import copy

import pytest
import torch
from torch import nn

from directions import models
from directions.training.ghost_batch_norm import over_groups, running_statistics

X = torch.randn(12, 3, 4, 4, generator=torch.Generator().manual_seed(0)) * 2 + 1


def norm():
    torch.manual_seed(1)
    made = nn.BatchNorm2d(3)
    nn.init.normal_(made.weight)
    nn.init.normal_(made.bias)
    return made


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_each_group_is_normalised_by_itself(layout):
    net = norm()
    with over_groups(net, 4):
        out = net(X.to(memory_format=layout))
    assert out.is_contiguous(memory_format=layout)
    for first in (0, 4, 8):
        group = X[first : first + 4].double()
        mean, sd = group.mean((0, 2, 3)), (group.var((0, 2, 3), correction=0) + net.eps).sqrt()
        shown = (group - mean.view(3, 1, 1)) / sd.view(3, 1, 1)
        expected = shown * net.weight.view(3, 1, 1) + net.bias.view(3, 1, 1)
        torch.testing.assert_close(out[first : first + 4].double(), expected, rtol=0, atol=1e-5)


def test_running_statistics_follow_the_mean_over_groups():
    net = norm()
    with over_groups(net, 4):
        net(X)
        net(2 * X)
    groups = X.view(3, 4, 3, 4, 4)
    mean = groups.mean((1, 3, 4)).mean(0)
    variance = groups.transpose(1, 2).flatten(2).var(2).mean(0)  # of 64 values each, unbiased
    torch.testing.assert_close(net.running_mean, 0.9 * 0.1 * mean + 0.1 * 2 * mean)
    torch.testing.assert_close(net.running_var, 0.81 + 0.9 * 0.1 * variance + 0.1 * 4 * variance)
    assert net.num_batches_tracked == 2
    assert [t.data_ptr() for t in running_statistics(nn.Sequential(net))] == [
        net.running_mean.data_ptr(), net.running_var.data_ptr()
    ]  # fmt: skip


def test_gradients_are_those_of_the_groups_apart(settings):
    settings |= {"model": "conv11", "width": 0.0625, "batch_norm": True, "pad": 1}
    together = models.build(settings, (3, 4, 4), 4)
    apart = copy.deepcopy(together)
    with over_groups(together, 4):
        together(X).square().mean().backward()
    for group in X.split(4):
        (apart(group).square().mean() / 3).backward()
    for one, other in zip(together.parameters(), apart.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad, rtol=1e-3, atol=1e-5)


def test_a_group_as_large_as_the_batch_is_ordinary_batch_norm():
    grouped, plain = norm(), norm()
    with over_groups(grouped, 12):
        out = grouped(X)
    torch.testing.assert_close(out, plain(X), rtol=0, atol=0)
    for name, tensor in plain.state_dict().items():
        torch.testing.assert_close(grouped.state_dict()[name], tensor)


def test_sixteen_bits_are_normalised_in_groups_too():
    net = norm()
    with over_groups(net, 4), torch.autocast("cpu", torch.bfloat16):
        out = net(X.bfloat16())
    assert out.dtype == torch.bfloat16
    assert net.running_mean.dtype == torch.float32
    with over_groups(net, 4):
        torch.testing.assert_close(out.float(), net(X), rtol=0.02, atol=0.02)


def test_evaluation_and_all_else_stay_as_they_were():
    net = nn.Sequential(norm(), nn.ReLU())
    expected, names = net.eval()(X), list(net.state_dict())
    with over_groups(net, 4):
        assert torch.equal(net(X), expected)
        assert list(net.state_dict()) == names
    with pytest.raises(RuntimeError, match="should contain 2 elements"), over_groups(net.train(), 4):
        net(X[:, :2])
    assert "forward" not in vars(net[0])
    with over_groups(net, None):
        assert "forward" not in vars(net[0])
