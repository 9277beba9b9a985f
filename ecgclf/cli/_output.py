"""Where a command writes, and how it counts beats."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike


def check_output(file: Path | None) -> None:
    """Find out before the work that its result can be written.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    IsADirectoryError
        If it is a folder itself.
    """
    if file is None:
        return
    if file.is_dir():
        raise IsADirectoryError(f"{file} is a folder: name the file to write in it")
    if not file.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {file.absolute().parent} to write {file} to: make it first"
        )


def counted(labels: ArrayLike) -> str:
    """Count beats, and those of each class.

    Examples
    --------
    >>> counted(["N", "V", "N"])
    '3 beats (N: 2, V: 1)'
    """
    names, counts = np.unique(labels, return_counts=True)
    each = ", ".join(f"{name}: {count:,}" for name, count in zip(names, counts))
    return f"{counts.sum():,} beats ({each})"
