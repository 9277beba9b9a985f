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
    """Derive an independent seed for a purpose, a number, and its parts.

    The last number must not be 0, because ``SeedSequence`` ignores trailing zeros.
    """
    return int(np.random.SeedSequence([seed, *path]).generate_state(1)[0])


def seeded(build: Callable[[], T], seed: int) -> T:
    """Call `build` with torch's global generator seeded, and restore the generator afterwards."""
    with _GLOBAL_GENERATOR, torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return build()


@contextmanager
def torch_threads(n_jobs: int | None) -> Iterator[None]:
    """Set the number of torch's threads to `n_jobs`, and restore it afterwards.

    None is one thread on every machine, because the number of threads affects the rounding of
    sums, and a model must not depend on the machine. Negative numbers count from the number of
    cores, as in joblib.

    torch stores this number partly per thread and partly per process. If several threads are
    inside this context, the last one to leave restores the number of the process. Within one
    thread, the end of an inner context restores the number of the outer one.
    """
    global _active, _before
    requested = 1 if n_jobs is None else n_jobs
    if requested < 0:
        requested = max(1, joblib.cpu_count() + 1 + requested)
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
    """Find the torch device for the parameter `device` of an estimator."""
    has_cuda, has_mps = torch.cuda.is_available(), torch.backends.mps.is_available()
    if device == "auto":
        return torch.device("cuda" if has_cuda else "mps" if has_mps else "cpu")
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"device={device!r} is not a device: give 'auto', 'cpu', 'cuda', 'cuda:<number>' or "
            "'mps'."
        ) from error
    counts = {
        "cpu": 1,
        "mps": int(has_mps),
        "cuda": torch.cuda.device_count() if has_cuda else 0,
    }
    if found.type not in counts:
        raise ValueError(
            f"device={device!r} is not supported: give 'auto', 'cpu', 'cuda', 'cuda:<number>' "
            "or 'mps'."
        )
    count = counts[found.type]
    if (found.index or 0) >= count:
        build = ", or install a CUDA build of torch" if found.type == "cuda" else ""
        raise ValueError(
            f"device={device!r} is not available: torch {torch.__version__} finds {count} "
            f"{found.type.upper()} device(s). Use device='auto' or device='cpu'{build}."
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
