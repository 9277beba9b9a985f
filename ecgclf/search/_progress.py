"""A progress bar for the searches of scikit-learn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from joblib import Parallel
from tqdm.auto import tqdm


@contextmanager
def search_progress(n_fits: int | None = None) -> Iterator[None]:
    """Show how many fits are done, on a terminal and nowhere else.

    For all that runs its fits through joblib: scikit-learn's searches, ``cross_validate``,
    ensembles. What runs inside one fit is not counted. For one search at a time.

    Parameters
    ----------
    n_fits : int, optional
        How many there will be, settings times folds; then the bar has an end.

    Notes
    -----
    scikit-learn has a progress bar of its own from version 1.9 on,
    ``search.set_callbacks(sklearn.callback.ProgressBar())``. It needs another library, rich,
    and writes to the standard output, terminal or not.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> search = GridSearchCV(ECGMLPClassifier(max_epochs=1), {"lr": [1e-3, 1e-2]}, cv=2)
    >>> with search_progress(n_fits=2 * 2):
    ...     fitted = search.fit(X, y)
    """
    if not sys.stderr.isatty():
        yield
        return
    run, report = Parallel.__call__, Parallel.print_progress
    outermost: list[Parallel] = []
    seen = 0

    def run_counted(self: Parallel, iterable: Any) -> Any:
        nonlocal seen
        if outermost:
            return run(self, iterable)
        outermost.append(self)
        seen = 0
        try:
            return run(self, iterable)
        finally:
            outermost.clear()

    def report_counted(self: Parallel) -> None:
        nonlocal seen
        report(self)
        if self in outermost:
            bar.update(self.n_completed_tasks - seen)
            seen = self.n_completed_tasks

    # joblib calls print_progress in the main process whenever tasks are done, and offers no
    # other place to look from that a search would let its user reach.
    Parallel.__call__, Parallel.print_progress = run_counted, report_counted
    try:
        with tqdm(total=n_fits, unit="fit") as bar:
            yield
    finally:
        Parallel.__call__, Parallel.print_progress = run, report
