"""Optuna studies and samplers."""

from __future__ import annotations

import json
import time
import warnings
from typing import Any

import numpy as np

from ecgclf._extras import import_extra
from ecgclf.search._conversions import encoded, to_grid
from ecgclf.search._space import SearchSpace

#: Seconds between two heartbeats of a trial in a database. A trial without a heartbeat for twice
#: as long is repeated.
HEARTBEAT = 30

#: Seconds to wait for a lock on a database file.
PATIENCE = 60


def open_study(
    storage: Any, study_name: str | None, sampler: Any, pruner: Any, about: dict[str, Any]
) -> Any:
    """Create a study, or load an existing one, which must be `about` the same search."""
    optuna = import_extra("optuna", "OptunaSearchCV")
    if isinstance(storage, str):
        storage = _database(optuna, storage)
    study = optuna.create_study(
        storage=storage,
        study_name=study_name,
        sampler=sampler,
        # None would select the MedianPruner.
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
            f"The study {study_name!r} was created with different {', '.join(differing)}: "
            f"{stored.get(name)!r} instead of {about[name]!r}. Use another study_name."
        )
    return study


def _database(optuna: Any, url: str) -> Any:
    """Open a database and create its tables if needed."""
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
                    # The GridSampler does not return to a cell of a failed trial.
                    heartbeat_stale_trial_callback=(
                        optuna.storages.RetryHeartbeatStaleTrialCallback()
                    ),
                )
        except DBAPIError:
            # When several processes start together, one creates the tables and others fail.
            if time.monotonic() > until:
                raise
            time.sleep(0.2)


def make_sampler(kind: Any, space: SearchSpace, n_points: int | None, seed: int) -> Any:
    """Make the sampler of a search; a sampler of Optuna is returned unchanged."""
    samplers = import_extra("optuna", "OptunaSearchCV").samplers
    if kind == "grid":
        grid = to_grid(space, n_points)
        cells = {name: [encoded(value) for value in values] for name, values in grid.items()}
        # Cells must have the same number in all processes, whatever their seeds.
        return samplers.GridSampler(cells, seed=0)
    if kind != "tpe":
        return kind
    tpe: Any = samplers.TPESampler

    class SeededByTrial(tpe):
        """Sampler that seeds each trial from the seed and the number of the trial.

        With a single seed, a resumed search would repeat its first suggestions, and two
        processes would make the same ones.
        """

        def before_trial(self, study: Any, trial: Any) -> None:
            sequence = np.random.SeedSequence([seed, trial.number + 1])
            super().__init__(seed=int(sequence.generate_state(1)[0]))

    return SeededByTrial()
