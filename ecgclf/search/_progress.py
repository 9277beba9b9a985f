"""A progress bar for the searches of scikit-learn."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from joblib import Parallel
from tqdm.auto import tqdm


@contextmanager
def search_progress(n_fits: int | None = None) -> Iterator[tqdm]:
    """Show how many fits are done, on a terminal and nowhere else.

    For all that runs its fits through joblib: scikit-learn's searches, ``cross_validate``,
    ensembles. What runs inside one fit is not counted. For one search at a time.

    Parameters
    ----------
    n_fits : int, optional
        How many there will be, settings times folds, for the time that is left.

    Yields
    ------
    tqdm
        The bar.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> search = GridSearchCV(ECGMLPClassifier(max_epochs=1), {"lr": [1e-3, 1e-2]}, cv=2)
    >>> with search_progress(n_fits=2 * 2) as bar:
    ...     _ = search.fit(X, y)
    >>> bar.n
    4
    """
    # joblib calls print_progress in the main process whenever a task is done, which is the
    # one place to look from without a parameter in every search.
    run, report = Parallel.__call__, Parallel.print_progress
    bar = tqdm(total=n_fits, unit="fit", disable=not sys.stderr.isatty())
    outermost: list[Parallel] = []

    def run_counted(self: Parallel, iterable: Any) -> Any:
        if outermost:
            return run(self, iterable)
        outermost.append(self)
        try:
            return run(self, iterable)
        finally:
            outermost.clear()

    done = {"fits": 0, "of": None}
    raise NotImplementedError
