"""Seeds: one for a run, from which all others follow."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.training import derive, draw_seed, seeded

some = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 2**32 - 1)


# --- derive --------------------------------------------------------------------------------


@some
@given(seed=seeds, path=st.lists(st.integers(0, 1000), min_size=1, max_size=3))
def test_derived_seeds_are_seeds_and_always_the_same(seed, path):
    derived = derive(seed, *path)
    assert derived == derive(seed, *path)
    assert 0 <= derived < 2**32
    torch.Generator().manual_seed(derived)


def test_derived_seeds_are_all_different():
    found = {
        derive(s, *path) for s in range(50) for path in [(), (0, 1), (1,), (2,), (1, 2), (2, 1)]
    }
    assert len(found) == 300


def test_streams_of_neighbouring_seeds_have_nothing_in_common():
    draws = np.array(
        [
            torch.randn(2000, generator=torch.Generator().manual_seed(derive(seed, use))).numpy()
            for seed in range(4)
            for use in range(3)
        ]
    )
    correlation = np.corrcoef(draws) - np.eye(12)
    assert np.abs(correlation).max() < 6 / np.sqrt(2000)


# --- seeded --------------------------------------------------------------------------------


@some
@given(seed=seeds)
def test_as_if_torch_had_just_been_seeded(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        expected = torch.rand(5)
    before = torch.get_rng_state()
    assert torch.equal(seeded(lambda: torch.rand(5), seed), expected)
    assert torch.equal(torch.get_rng_state(), before)


def test_torch_is_left_alone_when_building_fails():
    def fail() -> None:
        torch.rand(5)
        raise ZeroDivisionError

    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        seeded(fail, 0)
    assert torch.equal(torch.get_rng_state(), before)
    seeded(lambda: torch.rand(5), 0)  # and the next one is not locked out


def test_threads_do_not_disturb_each_other():
    expected = seeded(lambda: torch.rand(20_000), 7)
    found: list[torch.Tensor] = []

    def build() -> torch.Tensor:
        return torch.cat([torch.rand(1000) for _ in range(20)])

    workers = [threading.Thread(target=lambda: found.append(seeded(build, 7))) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(found) == 4
    for tensor in found:
        torch.testing.assert_close(tensor, found[0], rtol=0, atol=0)
    assert expected.shape == found[0].shape


# --- draw_seed -----------------------------------------------------------------------------


def test_an_int_is_the_seed_itself():
    assert draw_seed(5) == draw_seed(np.int64(5)) == 5


def test_none_is_new_each_time_and_leaves_numpy_alone():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert len({draw_seed(None) for _ in range(5)}) == 5
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_a_random_state_is_drawn_from():
    shared = np.random.RandomState(3)
    first, second = draw_seed(shared), draw_seed(shared)
    assert first != second
    assert first == draw_seed(np.random.RandomState(3))
