"""Fits on the workers of a Dask cluster, of which some may be lost."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import joblib

from ecgclf._extras import import_extra


@contextmanager
def on_dask(client: Any = None, **options: Any) -> Iterator[Any]:
    """Let joblib run its tasks on a Dask cluster, and survive the loss of workers.

    For all that runs its fits through joblib: scikit-learn's searches, ``cross_validate``,
    ensembles. As ``joblib.parallel_config("dask")``, under which a search fails when a worker
    is lost, as the beats go with it: they lie in the memory of workers alone. Here the
    scheduler keeps a copy, gives it to other workers, and they repeat the fits that were
    lost.

    Parameters
    ----------
    client : Client, str or None, default=None
        A client of a cluster, the address of a scheduler, such as ``"tcp://10.0.0.1:8786"``,
        or None for the client that was opened last.
    **options : dict
        For the backend of joblib, such as ``wait_for_workers_timeout``, the seconds to wait
        for the first worker, 10 if not given.

    Yields
    ------
    Client

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If no client is given and none is open.

    See Also
    --------
    OptunaSearchCV : shares its trials through a database instead.

    Notes
    -----
    The scheduler holds each array once, however many fits there are. A fit that has brought
    down several workers one after another, three by Dask's default, is given up.

    Examples
    --------
    Here the "cluster" is a thread of this process:

    >>> from distributed import Client
    >>> from sklearn.model_selection import GridSearchCV
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> search = GridSearchCV(ECGMLPClassifier(max_epochs=1), {"lr": [1e-3, 1e-2]}, cv=2)
    >>> cluster = Client(processes=False, n_workers=1, dashboard_address=":0")
    >>> with cluster as client, on_dask(client):
    ...     fitted = search.fit(X, y)
    """
    distributed = import_extra("distributed", "on_dask")
    import dask

    with ExitStack() as stack:
        if client is None:
            try:
                client = distributed.get_client()
            except ValueError as error:
                raise ValueError(
                    "No client of Dask is open: give on_dask a Client or the address of a "
                    "scheduler."
                ) from error
        elif isinstance(client, str):
            client = stack.enter_context(distributed.Client(client, set_as_default=False))
        # Dask advises against what is done here on purpose.
        stack.enter_context(
            dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"})
        )
        stack.enter_context(
            joblib.parallel_config("dask", client=_KeptByScheduler(client), **options)
        )
        yield client


class _KeptByScheduler:
    """A client whose scattered data outlive the workers that hold them.

    Data that Dask scatters are lost with the last worker that has them, and copies that one
    asks for are removed soon. Results of tasks are computed again.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def scatter(self, data: Any, **kwargs: Any) -> Coroutine:
        async def submitted() -> Any:
            return self._client.submit(_itself, data, pure=False)

        return submitted()


def _itself(data: Any) -> Any:
    return data
