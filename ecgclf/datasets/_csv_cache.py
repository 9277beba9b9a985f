"""Keep the numbers of large CSV files, so that their text is read but once."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import pooch
from numpy.typing import NDArray


def folder() -> Path:
    """Return the user's cache folder for tables; it need not exist."""
    return Path(pooch.os_cache("ecgclf")) / "csv"


def cached_table(file: Path) -> tuple[NDArray[np.float32], str] | None:
    """Find what was kept of a file; None if there is nothing, or it cannot be read.

    Parameters
    ----------
    file : Path
        One that was written to since, or moved, is another.

    Returns
    -------
    table : ndarray of float32, shape (n_rows, n_columns)
    sha256 : str
        As `keep_table` was told.
    """
    try:
        with np.load(_place_of(file), allow_pickle=False) as kept:
            return kept["table"], str(kept["sha256"])
    except (OSError, ValueError, TypeError, EOFError, KeyError, BadZipFile):
        return None


def keep_table(file: Path, table: NDArray[np.float32], sha256: str) -> None:
    """Keep the table of a file; where nothing can be written, leave it.

    Parameters
    ----------
    file : Path
    table : ndarray of float32, shape (n_rows, n_columns)
    sha256 : str
        Of the file.
    """
    place = _place_of(file)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=place.parent) as unfinished:
            whole = Path(unfinished) / place.name
            np.savez(whole, table=table, sha256=np.array(sha256))
            os.replace(whole, place)
    except OSError:
        return


def _place_of(file: Path) -> Path:
    now = file.stat()
    named = f"{file.resolve()} {now.st_size} {now.st_mtime_ns}"
    return folder() / f"{hashlib.sha256(named.encode()).hexdigest()[:32]}.npz"
