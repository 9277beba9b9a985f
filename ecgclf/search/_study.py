"""Optuna studies and samplers."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ecgclf._extras import import_extra
from ecgclf.search._conversions import encoded_grid
from ecgclf.search._space import SearchSpace

#: Seconds between two heartbeats of a trial in a database. A trial without a heartbeat for twice
#: as long is repeated.
HEARTBEAT = 30

#: Seconds to wait for a lock on a database file.
PATIENCE = 60


def open_study(
    storage: Any, study_name: str | None, sampler: Any, pruner: Any, about: dict[str, Any]
) -> Any:
    """Create a study, or load an existing one.

    Parameters
    ----------
    storage : str, BaseStorage or None
        URL of a database, a storage of Optuna, or None for memory.
    study_name : str or None
        Name of the study.
    sampler : BaseSampler
        Sampler of Optuna.
    pruner : BasePruner or None
        Pruner of Optuna.
    about : dict
        Description of the search, which must be the same in all processes.

    Returns
    -------
    Study
        The study.

    Raises
    ------
    ValueError
        If the existing study has another description.
    """
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
    """Make the sampler of a search.

    Parameters
    ----------
    kind : {"tpe", "grid"} or BaseSampler
        Kind of sampler. A sampler of Optuna is returned unchanged.
    space : SearchSpace
        The search space.
    n_points : int or None
        Number of values of a `FloatRange` without a step in the grid.
    seed : int
        Seed of "tpe".

    Returns
    -------
    BaseSampler
        The sampler.
    """
    samplers = import_extra("optuna", "OptunaSearchCV").samplers
    if kind == "grid":
        # Cells must have the same number in all processes, whatever their seeds.
        return samplers.GridSampler(encoded_grid(space, n_points), seed=0)
    if kind == "tpe":
        return _seeded_by_trial(samplers.TPESampler, seed)
    return kind


def _seeded_by_trial(make: Callable[..., Any], seed: int) -> Any:
    """Make a sampler that seeds each trial from the seed and the number of the trial.

    With a single seed, a resumed search would repeat its first suggestions, and two processes
    would make the same ones.
    """
    base: Any = import_extra("optuna", "OptunaSearchCV").samplers.BaseSampler

    class SeededByTrial(base):
        def __init__(self) -> None:
            self.number = -1

        def of(self, trial: Any) -> Any:
            if trial.number != self.number:
                self.number = trial.number
                sequence = np.random.SeedSequence([seed, trial.number + 1])
                self.sampler = make(seed=int(sequence.generate_state(1)[0]))
            return self.sampler

        def infer_relative_search_space(self, study: Any, trial: Any) -> dict[str, Any]:
            return self.of(trial).infer_relative_search_space(study, trial)

        def sample_relative(self, study: Any, trial: Any, search_space: Any) -> dict[str, Any]:
            return self.of(trial).sample_relative(study, trial, search_space)

        def sample_independent(
            self, study: Any, trial: Any, param_name: str, param_distribution: Any
        ) -> Any:
            return self.of(trial).sample_independent(study, trial, param_name, param_distribution)

        def after_trial(
            self, study: Any, trial: Any, state: Any, values: Sequence[float] | None
        ) -> None:
            self.of(trial).after_trial(study, trial, state, values)

    return SeededByTrial()
