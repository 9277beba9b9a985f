"""The study of a search: where its trials are kept."""

from __future__ import annotations

import json
import time
import warnings
from typing import Any

from ecgclf._extras import import_extra

#: Seconds between two signs of life of a trial in a database. One without a sign for twice
#: as long is taken to be dead, and is repeated.
HEARTBEAT = 30

#: Seconds that a process waits for others that write to the same file.
PATIENCE = 60


def open_study(
    storage: Any, study_name: str | None, sampler: Any, pruner: Any, about: dict[str, Any]
) -> Any:
    """Begin a study, or go on with one.

    Parameters
    ----------
    storage : str, BaseStorage or None
    study_name : str or None
    sampler : BaseSampler
    pruner : BasePruner or None
    about : dict
        What is searched. Must not change between the processes of a study.

    Returns
    -------
    Study

    Raises
    ------
    ValueError
        If the study of that name searched something else.
    """
    optuna = import_extra("optuna", "OptunaSearchCV")
    if isinstance(storage, str):
        storage = _database(optuna, storage)
    study = optuna.create_study(
        storage=storage,
        study_name=study_name,
        sampler=sampler,
        # Without one Optuna would take its own.
        pruner=pruner or optuna.pruners.NopPruner(),
        direction="maximize",
        load_if_exists=study_name is not None,
    )
    stored = study.user_attrs.get("about")
    about = json.loads(json.dumps(about))
    if stored is None:
        study.set_user_attr("about", about)
    elif differing := [name for name in about if about[name] != stored.get(name)]:
        name = differing[0]
        raise ValueError(
            f"The study {study_name!r} of this storage was about other {', '.join(differing)}: "
            f"{stored.get(name)!r}, not {about[name]!r}. Scores of both cannot be compared; take "
            "another study_name."
        )
    return study


def _database(optuna: Any, url: str) -> Any:
    """Open a database, and make its tables if it has none."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import DBAPIError

    is_file = make_url(url).get_backend_name() == "sqlite"
    until = time.monotonic() + 10
    while True:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
                return optuna.storages.RDBStorage(
                    url,
                    engine_kwargs={"connect_args": {"timeout": PATIENCE}} if is_file else None,
                    heartbeat_interval=HEARTBEAT,
                    # The grid of Optuna never returns to a cell whose trial has failed, so
                    # that a killed one has to be repeated.
                    heartbeat_stale_trial_callback=(
                        optuna.storages.RetryHeartbeatStaleTrialCallback()
                    ),
                )
        except DBAPIError:
            # Of processes that begin together one makes the tables, and the others fail, as
            # a table or a row is there that was not when they looked.
            if time.monotonic() > until:
                raise
            time.sleep(0.2)
