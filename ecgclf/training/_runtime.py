"""Seeds, threads and devices of a training run."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import joblib
import numpy as np
import torch

T = TypeVar("T")

# torch initializes layers from its global generator. One thread at a time may use it, so that
# two fits in two threads do not disturb each other.
_GLOBAL_GENERATOR = threading.Lock()

_THREADS = threading.Lock()
_active = 0
_before = 1
_here = threading.local()


def draw_seed(random_state: int | np.random.RandomState | None) -> int:
    """Convert scikit-learn's `random_state` to the seed of a training run.

    An int is the seed itself, a seed is drawn from a RandomState, and None takes entropy from
    the system, so that numpy's global generator does not change.
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
        Seed of the run.
    *path : int
        Number of the purpose, and of its parts. The last one must not be 0, because
        ``SeedSequence`` ignores trailing zeros.

    Returns
    -------
    int
        The derived seed.
    """
    return int(np.random.SeedSequence([seed, *path]).generate_state(1)[0])


def seeded(build: Callable[[], T], seed: int) -> T:
    """Call `build` with torch's global generator seeded, and restore the generator afterwards."""
    with _GLOBAL_GENERATOR:
        state = torch.get_rng_state()
        try:
            torch.default_generator.manual_seed(seed)
            return build()
        finally:
            torch.set_rng_state(state)


def resolve_n_jobs(n_jobs: int | None) -> int:
    """Compute the number of threads for `n_jobs`.

    None is one thread on every machine, because the number of threads affects the rounding of
    sums, and a model must not depend on the machine. Negative numbers count from the number of
    cores, as in joblib.
    """
    if n_jobs is None:
        return 1
    if n_jobs < 0:
        return max(1, joblib.cpu_count() + 1 + n_jobs)
    return n_jobs


@contextmanager
def torch_threads(n_jobs: int | None) -> Iterator[None]:
    """Set the number of torch's threads to `n_jobs`, and restore it afterwards.

    torch stores this number partly per thread and partly per process. If several threads are
    inside this context, the last one to leave restores the number of the process. Within one
    thread, the end of an inner context restores the number of the outer one.
    """
    global _active, _before
    requested = resolve_n_jobs(n_jobs)
    outer = getattr(_here, "requested", None)
    with _THREADS:
        if _active == 0:
            _before = torch.get_num_threads()
        _active += 1
        torch.set_num_threads(requested)
    _here.requested = requested
    try:
        yield
    finally:
        _here.requested = outer
        with _THREADS:
            _active -= 1
            if _active == 0:
                torch.set_num_threads(_before)
            elif outer is not None:
                torch.set_num_threads(outer)


def resolve_device(device: str) -> torch.device:
    """Find the torch device for the parameter `device` of an estimator.

    Parameters
    ----------
    device : str
        "auto" selects CUDA, else Apple's MPS, else the CPU. Other names are those of torch:
        "cpu", "cuda", "cuda:1" or "mps".

    Returns
    -------
    torch.device
        The device.

    Raises
    ------
    ValueError
        If the name is unknown or this machine has no such device.
    """
    if device == "auto":
        device = "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device("cuda" if torch.cuda.is_available() else device)
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"device={device!r} is not a device: give 'auto', 'cpu', 'cuda', 'cuda:<number>' or "
            "'mps'."
        ) from error
    if found.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (found.index or 0) >= count:
            raise ValueError(
                f"device={device!r} is not available: torch {torch.__version__} finds {count} "
                "CUDA device(s). Use device='auto' or device='cpu', or install a CUDA build of "
                "torch."
            )
    elif found.index or (found.type == "mps" and not torch.backends.mps.is_available()):
        raise ValueError(
            f"device={device!r} is not available on this machine: use device='auto' or "
            "device='cpu'."
        )
    elif found.type not in ("cpu", "cuda", "mps"):
        raise ValueError(
            f"device={device!r} is not supported: give 'auto', 'cpu', 'cuda', 'cuda:<number>' "
            "or 'mps'."
        )
    return found


def device_here(device: str) -> str:
    """Resolve `device`; if this machine does not have it, warn and return "cpu"."""
    try:
        return str(resolve_device(device))
    except ValueError:
        warnings.warn(
            f"The network was trained on device={device!r}, which this machine does not have: "
            "it is loaded onto the CPU.",
            stacklevel=3,
        )
        return "cpu"
