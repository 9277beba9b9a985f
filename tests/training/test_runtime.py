"""Seeds and threads of training runs."""

from __future__ import annotations

import threading

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.training import draw_seed, torch_threads
from ecgclf.training._runtime import derive, seeded

some = settings(max_examples=30, deadline=None)
seeds = st.integers(0, 2**32 - 1)


# --- derive --------------------------------------------------------------------------------


@some
@given(seed=seeds, path=st.lists(st.integers(0, 1000), min_size=1, max_size=3))
def test_derived_seeds_are_reproducible(seed, path):
    derived = derive(seed, *path)
    assert derived == derive(seed, *path)
    assert 0 <= derived < 2**32
    torch.Generator().manual_seed(derived)


def test_derived_seeds_differ():
    found = {
        derive(s, *path) for s in range(50) for path in [(), (0, 1), (1,), (2,), (1, 2), (2, 1)]
    }
    assert len(found) == 300


def test_streams_of_neighbouring_seeds_are_uncorrelated():
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
def test_seeded(seed):
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        expected = torch.rand(5)
    before = torch.get_rng_state()
    assert torch.equal(seeded(lambda: torch.rand(5), seed), expected)
    assert torch.equal(torch.get_rng_state(), before)


def test_seeded_restores_the_generator_after_an_error():
    def fail() -> None:
        torch.rand(5)
        raise ZeroDivisionError

    before = torch.get_rng_state()
    with pytest.raises(ZeroDivisionError):
        seeded(fail, 0)
    assert torch.equal(torch.get_rng_state(), before)
    seeded(lambda: torch.rand(5), 0)  # the lock was released


def test_seeded_in_several_threads():
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


def test_int_is_the_seed():
    assert draw_seed(5) == draw_seed(np.int64(5)) == 5


def test_none_draws_fresh_seeds():
    np.random.seed(0)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    assert len({draw_seed(None) for _ in range(5)}) == 5
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_random_state_is_drawn_from():
    shared = np.random.RandomState(3)
    first, second = draw_seed(shared), draw_seed(shared)
    assert first != second
    assert first == draw_seed(np.random.RandomState(3))


# --- torch_threads -----------------------------------------------------------------------


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("n_jobs", "expected"),
    [(None, 1), (1, 1), (3, 3), (-1, joblib.cpu_count()), (-1000, 1)],
)
def test_threads_inside_and_after(two_threads, n_jobs, expected):
    with torch_threads(n_jobs):
        assert torch.get_num_threads() == expected
    assert torch.get_num_threads() == 2


def test_nested_contexts(two_threads):
    with torch_threads(3):
        with torch_threads(1):
            assert torch.get_num_threads() == 1
        with torch_threads(4):
            assert torch.get_num_threads() == 4
    assert torch.get_num_threads() == 2


def test_inner_context_restores_the_outer_number(two_threads):
    """A fit inside another fit does not change the threads of the outer one."""
    with torch_threads(3):
        with torch_threads(1):
            pass
        assert torch.get_num_threads() == 3


def test_threads_after_an_error(two_threads):
    with pytest.raises(ZeroDivisionError), torch_threads(1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2
    with torch_threads(3):
        pass
    assert torch.get_num_threads() == 2


def test_contexts_in_several_threads(two_threads):
    """Each thread has its own number, and the last one restores the number of the process."""
    barrier = threading.Barrier(4)
    seen: dict[int, int] = {}

    def work(n_jobs: int) -> None:
        with torch_threads(n_jobs):
            barrier.wait()
            torch.ones(8, 8) @ torch.ones(8, 8)
            seen[n_jobs] = torch.get_num_threads()
            barrier.wait()

    workers = [threading.Thread(target=work, args=(n,)) for n in (1, 2, 3, 4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert seen.keys() == {1, 2, 3, 4}
    assert torch.get_num_threads() == 2
