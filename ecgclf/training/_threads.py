"""How many threads torch may use, set for the time of one fit or prediction."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import joblib
import torch

_LOCK = threading.Lock()
_active = 0
_before = 1
_here = threading.local()


def resolve_n_jobs(n_jobs: int | None) -> int:
    """Find the number of threads that `n_jobs` asks for.

    None is one thread, whatever the machine: sums over threads are rounded differently for
    different numbers of threads, and a model must not depend on where it was fitted.
    Negative numbers count from the number of cores, as joblib does.
    """
    if n_jobs is None:
        return 1
    if n_jobs < 0:
        return max(1, joblib.cpu_count() + 1 + n_jobs)
    return n_jobs


@contextmanager
def torch_threads(n_jobs: int | None) -> Iterator[None]:
    """Let torch use the threads that `n_jobs` asks for, then what it used before.

    torch keeps this number partly per thread and partly per process. So when several threads
    are inside at once, only the last to leave puts the process back. Within one thread, the
    number of an outer block holds again when an inner one ends.

    Parameters
    ----------
    n_jobs : int or None
        As in `ecgclf.estimators.BeatEstimator`.

    Examples
    --------
    >>> with torch_threads(1):
    ...     torch.get_num_threads()
    1
    """
    global _active, _before
    asked_for = resolve_n_jobs(n_jobs)
    outer = getattr(_here, "asked_for", None)
    with _LOCK:
        if _active == 0:
            _before = torch.get_num_threads()
        _active += 1
        torch.set_num_threads(asked_for)
    _here.asked_for = asked_for
    try:
        yield
    finally:
        _here.asked_for = outer
        with _LOCK:
            _active -= 1
            if _active == 0:
                torch.set_num_threads(_before)
            elif outer is not None:
                torch.set_num_threads(outer)
