"""Where every random number of a training run comes from: one seed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import numpy as np
import torch

T = TypeVar("T")

# Layers are initialised from the global generator of torch. One thread at a time may borrow
# it, so that two fits in two threads do not disturb each other.
_GLOBAL_GENERATOR = threading.Lock()


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Turn scikit-learn's `random_state` into the seed of a training run.

    Parameters
    ----------
    random_state : int, RandomState or None
        An int is the seed itself; from a RandomState a seed is drawn; None is fresh entropy
        from the system, so that the global generator of numpy is left alone.

    Returns
    -------
    int

    Examples
    --------
    >>> draw_seed(42)
    42
    """
    if random_state is None:
        return int(np.random.SeedSequence().generate_state(1)[0])
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(np.iinfo(np.int32).max))
    return int(random_state)


def derive(seed: int, *path: int) -> int:
    """Derive an independent seed.

    Parameters
    ----------
    seed : int
    *path : int
        Number of the purpose, and of what lies below it; the last one not 0.

    Returns
    -------
    int

    Examples
    --------
    >>> derive(0, 1) == derive(0, 1), derive(0, 1) == derive(0, 2)
    (True, False)
    """
    return int(np.random.SeedSequence([seed, *path]).generate_state(1)[0])


def seeded(build: Callable[[], T], seed: int) -> T:
    """Call `build` as if torch had just been seeded, and leave torch's generator as it was.

    Parameters
    ----------
    build : callable without arguments
    seed : int

    Returns
    -------
    object
        What `build` returned.

    Examples
    --------
    >>> torch.equal(seeded(lambda: torch.rand(3), 0), seeded(lambda: torch.rand(3), 0))
    True
    """
    with _GLOBAL_GENERATOR:
        state = torch.get_rng_state()
        try:
            torch.default_generator.manual_seed(seed)
            return build()
        finally:
            torch.set_rng_state(state)
