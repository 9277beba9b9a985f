"""Result files with the command, versions and machine that produced them."""

from __future__ import annotations

import json
import os
import platform
import shlex
import subprocess
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

_ROOT = Path(__file__).resolve().parents[2]

#: Directory of the result files.
FOLDER = _ROOT / "benchmarks" / "results"

_PACKAGES = ("ecgclf", "imbalanced-learn", "numpy", "scikit-learn", "scipy", "skorch", "torch")


def write_results(
    name: str, figures: Any, *, seed: int, started: float, packages: Iterable[str] = ()
) -> Path:
    """Write the figures of a benchmark with all that is needed to repeat it.

    Parameters
    ----------
    name : str
        Name of the file without its suffix.
    figures : object
        Any value that JSON can represent.
    seed : int
        Random seed of the run.
    started : float
        `time.time` at the start of the run.
    packages : iterable of str
        Further packages whose versions are recorded.

    Returns
    -------
    Path
        The file written.
    """
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{name}.json"
    document = origin(seed=seed, started=started, packages=packages)
    write_json(file, {**document, "figures": figures})
    return file


def write_json(file: Path, document: dict) -> None:
    """Write strict JSON, without NaN."""
    file.write_text(json.dumps(document, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def origin(*, seed: int, started: float, packages: Iterable[str] = ()) -> dict[str, Any]:
    """Return the command, seed, commit, versions and machine of this run."""
    return {
        "command": shlex.join(["python", "-m", _module(), *sys.argv[1:]]),
        "seed": seed,
        "commit": _commit(),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
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


def _module() -> str:
    """Return the name of the module that ``python -m`` runs."""
    name = sys.modules["__main__"].__spec__.name
    return name.removesuffix(".__main__")


def _commit() -> str | None:
    """Return the commit of the working tree, with a plus sign if it has changes."""
    try:
        answer = subprocess.run(
            ["git", "describe", "--always", "--dirty=+"],
            cwd=_ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return answer.stdout.strip()


def _processor() -> str:
    """Return the name of the processor."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
