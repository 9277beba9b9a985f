"""The threads of torch: set for a while, then as before."""

from __future__ import annotations

import threading

import joblib
import pytest
import torch

from ecgclf.training import torch_threads


@pytest.fixture(autouse=True)
def _two_threads_before():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.parametrize(
    ("n_jobs", "expected"),
    [(None, 1), (1, 1), (3, 3), (-1, joblib.cpu_count()), (-1000, 1)],
)
def test_inside_and_after(n_jobs, expected):
    with torch_threads(n_jobs):
        assert torch.get_num_threads() == expected
    assert torch.get_num_threads() == 2


def test_one_within_another():
    with torch_threads(3):
        with torch_threads(1):
            assert torch.get_num_threads() == 1
        with torch_threads(4):
            assert torch.get_num_threads() == 4
    assert torch.get_num_threads() == 2


def test_the_outer_number_comes_back_after_the_inner_one():
    """A network that fits another inside itself goes on with the threads it asked for."""
    with torch_threads(3):
        with torch_threads(1):
            pass
        assert torch.get_num_threads() == 3


def test_an_error_inside():
    with pytest.raises(ZeroDivisionError), torch_threads(1):
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2
    with torch_threads(3):
        pass
    assert torch.get_num_threads() == 2


def test_many_at_once():
    """Each sees its own number, and the process has the old one when the last has left."""
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
