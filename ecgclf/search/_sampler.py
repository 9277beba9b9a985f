"""A sampler of Optuna whose suggestions can be repeated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ecgclf._extras import import_extra
from ecgclf.search._grids import to_grid
from ecgclf.search._space import SearchSpace
from ecgclf.search._suggestions import encoded_grid


def make_sampler(kind: Any, space: SearchSpace, n_points: int | None, seed: int) -> Any:
    """Build the sampler of a search.

    Parameters
    ----------
    kind : {"tpe", "grid"} or BaseSampler
    space : SearchSpace
    n_points : int or None
        For the grid.
    seed : int

    Returns
    -------
    BaseSampler
    """
    samplers = import_extra("optuna", "OptunaSearchCV").samplers
    if kind == "grid":
        # All processes must number the cells alike, whatever their seeds.
        return samplers.GridSampler(encoded_grid(to_grid(space, n_points)), seed=0)
    if kind == "tpe":
        return _seeded_by_trial(samplers.TPESampler, seed)
    return kind


def _seeded_by_trial(make: Callable[..., Any], seed: int) -> Any:
    """Build a sampler that begins every trial with a seed of its own.

    A search that is taken up again would otherwise suggest what it began with, and two
    processes of the same seed the same as each other.
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
