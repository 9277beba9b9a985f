"""Dropout with a generator of its own."""

from __future__ import annotations

import copy
import pickle

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ecgclf.modules import Dropout, set_generator

few = settings(max_examples=15, deadline=None)


def seeded(p: float, seed: int = 0) -> Dropout:
    layer = Dropout(p)
    layer.generator = torch.Generator().manual_seed(seed)
    return layer


@few
@given(p=st.floats(0.05, 0.95), seed=st.integers(0, 1000))
def test_the_mean_is_kept_and_the_share_dropped(p, seed):
    n = 40_000
    x = torch.ones(n)
    out = seeded(p, seed)(x)
    kept = out != 0
    torch.testing.assert_close(out[kept], x[kept] / (1 - p))
    # Six standard deviations of a binomial share.
    assert abs(kept.float().mean().item() - (1 - p)) < 6 * (p * (1 - p) / n) ** 0.5
    assert out.mean().item() == pytest.approx(1.0, abs=6 * (p / (1 - p) / n) ** 0.5)


def test_each_element_is_drawn_for_itself():
    out = seeded(0.5)(torch.ones(200, 3, 50))
    for dim in range(3):
        assert 0 < out.count_nonzero(dim=dim).float().std() < torch.inf
    assert len({row.numpy().tobytes() for row in out}) == 200


@pytest.mark.parametrize(("p", "factor"), [(0.0, 1.0), (1.0, 0.0)])
def test_nothing_and_everything_is_dropped(p, factor):
    x = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    assert torch.equal(seeded(p)(x), x * factor)


def test_a_prediction_is_not_touched():
    x = torch.ones(1000)
    layer = seeded(0.9).eval()
    assert layer(x) is x
    assert layer.generator.initial_seed() == 0
    assert torch.equal(layer.generator.get_state(), torch.Generator().manual_seed(0).get_state())


def test_masks_come_from_the_generator_and_no_other_place():
    x = torch.ones(100)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = seeded(0.5)(x)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    layer = seeded(0.5)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)  # the generator has moved on
    assert not torch.equal(seeded(0.5, seed=1)(x), first)


def test_without_a_generator_it_is_that_of_torch():
    x = torch.ones(100)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        given = Dropout(0.3)(x)
        torch.manual_seed(0)
        again = Dropout(0.3)(x)
    assert torch.equal(given, again)


def test_the_gradient_goes_where_the_signal_went():
    x = torch.ones(500, requires_grad=True)
    out = seeded(0.25)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, out.detach())


@pytest.mark.parametrize("travel", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_a_copy_keeps_the_probability_and_not_the_generator(travel):
    layer = seeded(0.3)
    other = travel(layer)
    assert (other.p, other.generator, other.training) == (0.3, None, True)
    assert layer.generator is not None
    assert other.load_state_dict(layer.state_dict())


def test_every_dropout_of_a_network_is_reached():
    network = nn.Sequential(Dropout(0.1), nn.Sequential(nn.Linear(2, 2), Dropout(0.2)))
    generator = torch.Generator()
    set_generator(network, generator)
    assert [m.generator for m in network.modules() if isinstance(m, Dropout)] == [generator] * 2
    set_generator(network, None)
    assert [m.generator for m in network.modules() if isinstance(m, Dropout)] == [None] * 2


def test_it_shows_its_probability():
    assert repr(Dropout(0.25)) == "Dropout(p=0.25)"
