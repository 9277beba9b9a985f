"""Parallel fits on a Dask cluster."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import joblib

from ecgclf._extras import import_extra


@contextmanager
def on_dask(client: Any = None, **options: Any) -> Iterator[Any]:
    """Run joblib's tasks on a Dask cluster that may lose workers.

    Applies to everything that uses joblib: scikit-learn's searches, ``cross_validate``,
    ensembles. The scheduler keeps a copy of the data, and other workers repeat the fits of lost
    workers. With ``joblib.parallel_config("dask")`` only workers hold the data, so a search
    fails when one is lost.

    Parameters
    ----------
    client : Client, str or None, default=None
        Client of a cluster, address of a scheduler, such as ``"tcp://10.0.0.1:8786"``, or None
        for the current client.
    **options : dict
        Options of the joblib backend, such as ``wait_for_workers_timeout``, the time to wait
        for the first worker in s (default 10).

    Yields
    ------
    Client
        Client of the cluster.

    Raises
    ------
    ImportError
        If Dask is not installed.
    ValueError
        If no client is given and none is open.

    Notes
    -----
    A fit during which several workers are lost in turn, three by default, fails; see
    ``allowed-failures`` of Dask.

    Examples
    --------
    >>> from distributed import Client
    >>> from sklearn.model_selection import GridSearchCV
    >>> from ecgclf import ECGMLPClassifier
    >>> from ecgclf.datasets import make_beats
    >>> X, y = make_beats(n_beats=100, random_state=0, return_X_y=True)
    >>> search = GridSearchCV(ECGMLPClassifier(max_epochs=1), {"lr": [1e-3, 1e-2]}, cv=2)
    >>> client = Client(processes=False, n_workers=1, dashboard_address=":0")  # a thread
    >>> with client, on_dask(client):
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
                    "No Dask client is open. Pass a Client or the address of a scheduler to "
                    "on_dask."
                ) from error
        elif isinstance(client, str):
            client = stack.enter_context(distributed.Client(client, set_as_default=False))
        # Tasks contain the data on purpose, so that the scheduler keeps them.
        stack.enter_context(
            dask.config.set({"distributed.admin.large-graph-warning-threshold": "1 TiB"})
        )
        stack.enter_context(
            joblib.parallel_config("dask", client=_KeptByScheduler(client), **options)
        )
        yield client


class _KeptByScheduler:
    """Client that scatters data as results of tasks, which are computed again when lost."""

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
