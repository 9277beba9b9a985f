"""What every benchmark writes beside its figures, so that they can be had again."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

FOLDER = Path(__file__).parent / "results"

_PACKAGES = ("ecgclf", "imbalanced-learn", "numpy", "scikit-learn", "scipy", "skorch", "torch")


def write_results(
    name: str, figures: Any, *, seed: int, started: float, packages: Iterable[str] = ()
) -> Path:
    """Write the figures of a benchmark with all that is needed to repeat it.

    Parameters
    ----------
    name : str
        Of the file, without its ending.
    figures : object
        What JSON can hold.
    seed : int
    started : float
        `time.time` at the beginning.
    packages : iterable of str
        Whose versions matter beside those that always do.

    Returns
    -------
    Path
        The file.
    """
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{name}.json"
    document = origin(seed=seed, started=started, packages=packages)
    write_json(file, {**document, "figures": figures})
    return file


def write_json(file: Path, document: dict) -> None:
    """Write what JSON can hold, which NaN is not part of."""
    file.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def origin(*, seed: int, started: float, packages: Iterable[str] = ()) -> dict[str, Any]:
    """Gather what is needed to repeat a benchmark: command, seed, commit, versions, machine."""
    script = Path(sys.argv[0])
    return {
        "command": shlex.join(["python", f"benchmarks/{script.name}", *sys.argv[1:]]),
        "seed": seed,
        "commit": _commit(),
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seconds": round(time.time() - started, 1),
        "versions": {package: version(package) for package in (*_PACKAGES, *packages)},
        "machine": {
            "python": platform.python_version(),
            "system": platform.system(),
            "processor": _processor(),
            "cores": os.cpu_count(),
            "cuda": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
    }


def _commit() -> str | None:
    """Name the commit of the working tree, with a plus sign if it has changes."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def _processor() -> str:
    """Name the processor as the system does."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
