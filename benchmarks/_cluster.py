"""Runs of a benchmark one after another, or over the machines of a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import joblib
from tqdm.auto import tqdm

from ecgclf.search import on_dask


def each(
    work: Callable[..., Any], jobs: Iterable[tuple], scheduler: str | None, unit: str
) -> Iterator[Any]:
    """Yield the result of each job in order, with a progress bar.

    Parameters
    ----------
    work : callable
    jobs : iterable of tuple
        Its arguments.
    scheduler : str or None
        Address of a Dask scheduler. Its workers need the same code, ``PYTHONPATH=benchmarks``.
        None runs the jobs here, one after another.
    unit : str
        What a job is, for the progress bar.
    """
    jobs = list(jobs)
    if scheduler is None:
        yield from tqdm((work(*job) for job in jobs), total=len(jobs), unit=unit, disable=None)
        return
    with on_dask(scheduler):
        parallel = joblib.Parallel(n_jobs=-1, return_as="generator")
        results = parallel(joblib.delayed(work)(*job) for job in jobs)
        yield from tqdm(results, total=len(jobs), unit=unit, disable=None)
