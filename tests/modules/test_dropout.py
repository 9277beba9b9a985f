"""Dropout with its own random generator."""

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
def test_mean_and_dropped_share(p, seed):
    n = 40_000
    x = torch.ones(n)
    out = seeded(p, seed)(x)
    kept = out != 0
    # `p` is rounded to a multiple of 2^-16.
    torch.testing.assert_close(out[kept], x[kept] / (1 - p), rtol=2**-17 / (1 - p), atol=1e-6)
    # Six standard deviations of a binomial share.
    assert abs(kept.float().mean().item() - (1 - p)) < 6 * (p * (1 - p) / n) ** 0.5
    assert out.mean().item() == pytest.approx(1.0, abs=6 * (p / (1 - p) / n) ** 0.5)


def test_elements_are_drawn_separately():
    out = seeded(0.5)(torch.ones(200, 3, 50))
    for dim in range(3):
        assert 0 < out.count_nonzero(dim=dim).float().std() < torch.inf
    assert len({row.numpy().tobytes() for row in out}) == 200


@pytest.mark.parametrize(("p", "factor"), [(0.0, 1.0), (1.0, 0.0)])
def test_rates_0_and_1(p, factor):
    x = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    assert torch.equal(seeded(p)(x), x * factor)


def test_evaluation_mode_does_nothing():
    x = torch.ones(1000)
    layer = seeded(0.9).eval()
    assert layer(x) is x
    assert layer.generator.initial_seed() == 0
    assert torch.equal(layer.generator.get_state(), torch.Generator().manual_seed(0).get_state())


def test_masks_depend_on_the_generator_only():
    x = torch.ones(100)
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = seeded(0.5)(x)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    layer = seeded(0.5)
    assert torch.equal(layer(x), first)
    assert not torch.equal(layer(x), first)  # the generator has advanced
    assert not torch.equal(seeded(0.5, seed=1)(x), first)


def test_default_is_the_global_generator():
    x = torch.ones(100)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        given = Dropout(0.3)(x)
        torch.manual_seed(0)
        again = Dropout(0.3)(x)
    assert torch.equal(given, again)


def test_gradient():
    x = torch.ones(500, requires_grad=True)
    out = seeded(0.25)(x)
    out.sum().backward()
    torch.testing.assert_close(x.grad, out.detach())


@pytest.mark.parametrize("p", [0.01, 0.1, 0.4, 0.5])
def test_dropped_share_equals_torch(p):
    n = 1_000_000
    n_dropped = int((seeded(p)(torch.ones(n)) == 0).sum())
    n_of_torch = int((nn.functional.dropout(torch.ones(n), p) == 0).sum())
    # Six standard deviations of the difference of two binomial counts.
    assert abs(n_dropped - n_of_torch) < 6 * (2 * n * p * (1 - p)) ** 0.5


def test_smallest_rate():
    n = 2_000_000
    out = seeded(1e-9)(torch.ones(n))
    n_dropped = int((out == 0).sum())
    assert abs(n_dropped - n / 2**16) < 6 * (n / 2**16) ** 0.5
    assert out.max().item() == pytest.approx(2**16 / (2**16 - 1))


def test_neighbours_are_independent():
    """Four elements share one 64-bit random word."""
    kept = (seeded(0.5)(torch.ones(400_000)) != 0).float().reshape(-1, 4)
    together = torch.corrcoef(kept.T)
    torch.testing.assert_close(together, torch.eye(4), rtol=0, atol=6 / 100_000**0.5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
@pytest.mark.parametrize("shape", [(1,), (3, 5), (2, 3, 7)])
def test_dtype_and_shape_are_kept(dtype, shape):
    out = seeded(0.5)(torch.ones(shape, dtype=dtype))
    assert (out.dtype, out.shape) == (dtype, shape)
    assert set(out.unique().tolist()) <= {0.0, 2.0}


def test_memory_layout_is_kept():
    images = torch.ones(2, 3, 1, 5).contiguous(memory_format=torch.channels_last)
    out = seeded(0.5)(images)
    assert out.is_contiguous(memory_format=torch.channels_last)
    every_other = torch.ones(4, 20)[:, ::2]
    assert 0 < int(seeded(0.5)(every_other).count_nonzero()) < every_other.numel()


@pytest.mark.parametrize("travel", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_have_no_generator(travel):
    layer = seeded(0.3)
    other = travel(layer)
    assert (other.p, other.generator, other.training) == (0.3, None, True)
    assert layer.generator is not None
    assert other.load_state_dict(layer.state_dict())


def test_set_generator_reaches_every_dropout():
    network = nn.Sequential(Dropout(0.1), nn.Sequential(nn.Linear(2, 2), Dropout(0.2)))
    generator = torch.Generator()
    set_generator(network, generator)
    assert [m.generator for m in network.modules() if isinstance(m, Dropout)] == [generator] * 2
    set_generator(network, None)
    assert [m.generator for m in network.modules() if isinstance(m, Dropout)] == [None] * 2


def test_repr():
    assert repr(Dropout(0.25)) == "Dropout(p=0.25)"
