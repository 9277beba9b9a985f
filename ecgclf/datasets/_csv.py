"""Read the CSV files of the Kaggle "heartbeat" set."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ecgclf.datasets._beats import Beats
from ecgclf.datasets._csv_cache import cached_table, keep_table
from ecgclf.datasets._printed_floats import read_printed_floats
from ecgclf.datasets._windows import KAGGLE_LENGTH

#: 187 values and the label.
N_COLUMNS = KAGGLE_LENGTH + 1


class _Published(NamedTuple):
    n_rows: int
    n_bytes: int
    sha256: str


#: The released files, with LF at the ends of their lines.
_PUBLISHED = {
    "mitbih_train.csv": _Published(
        87_554, 411_503_800, "ae4c80504ad1d0be5c3f1b3c6ef02851e4d1b05d05805fce2a73374f083a700e"
    ),
    "mitbih_test.csv": _Published(
        21_892, 102_892_400, "f3fdb3fd318275e653fac082b617d8c1ef09fca619a0606dc22c863451c77333"
    ),
    "ptbdb_normal.csv": _Published(
        4_046, 19_016_200, "033d355e76e9f65f692fa398c5b24e357d004fab328c97db5160591a2eafe48c"
    ),
    "ptbdb_abnormal.csv": _Published(
        10_506, 49_378_200, "27b4a37cd6dbcede0900cde3df02291f21e7538085d54e6b33abb91f4a5cf912"
    ),
}


def beats_of_csv(csv_files: Sequence[Path], classes: tuple[str, ...], fs: float) -> Beats:
    """Read CSV files one after another into `Beats` that know only signal and class.

    Parameters
    ----------
    csv_files : sequence of Path
    classes : tuple of str
        Name of the class of each label, from 0 on.
    fs : float
        Sampling rate in Hz.
    """
    tables = [read_heartbeat_csv(file, range(len(classes))) for file in csv_files]
    return Beats(
        data=np.concatenate([data for data, _ in tables]),
        target=np.array(classes)[np.concatenate([label for _, label in tables])],
        groups=None,
        record=None,
        sample=None,
        lead=None,
        rhythm=None,
        rhythm_names=(),
        fs=fs,
        fs_record=None,
        target_names=classes,
    )


def read_heartbeat_csv(
    file: Path, labels: range
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Read one of the CSV files: no header, 187 values and a label in each row.

    Parameters
    ----------
    file : Path
    labels : range
        The labels that may occur.

    Returns
    -------
    data : ndarray of float32, shape (n_rows, 187)
    label : ndarray of int64, shape (n_rows,)

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, or a row has a wrong number of columns, a value that is no
        finite number, or a label outside `labels`.

    Warns
    -----
    UserWarning
        If the file is not the published one, by its size or SHA-256.

    Notes
    -----
    What was read of a file of the name and size of a published one is kept in the user's cache
    folder, as an array, and found there as long as the file is not written to again.
    """
    if not file.is_file():
        raise FileNotFoundError(
            f"{file} is missing; expected the CSV of the Kaggle heartbeat set under this name"
        )
    if not _may_be_published(file):
        table, sha256 = _table(file, labels), None
    elif (kept := cached_table(file)) is not None:
        table, sha256 = kept
    else:
        with ThreadPoolExecutor(1) as pool:  # neither holds the lock: two processors share them
            hashing = pool.submit(_sha256, file)
            table = _table(file, labels)
            sha256 = hashing.result()
        keep_table(file, table, sha256)
    _warn_unless_published(file, sha256)
    return np.ascontiguousarray(table[:, :-1]), table[:, -1].astype(np.int64)


def _table(file: Path, labels: range) -> NDArray[np.float32]:
    """Read values and labels, and see to it that they can be such."""
    table = read_printed_floats(file, N_COLUMNS)
    try:
        # Values are printed with 19 digits from float32. The fast parser may be off in the
        # last place of a double, which is far below half a step of float32.
        if table is None:
            table = pd.read_csv(file, header=None, dtype=np.float32, engine="c").to_numpy()
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise _fault(file, labels) from error
    if (
        table.shape[1] != N_COLUMNS
        or not np.isfinite(table).all()
        or not np.isin(table[:, -1], labels).all()
    ):
        raise _fault(file, labels)
    return table


def _fault(file: Path, labels: range) -> ValueError:
    """Find the first row that cannot be right and say what is wrong with it."""
    remedy = "download the file again, or correct the row"
    has_rows = False
    with file.open(encoding="utf-8", errors="replace") as lines:
        for row, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            has_rows = True
            wrong = _wrong_with(line.rstrip("\r\n").split(","), labels)
            if wrong:
                return ValueError(f"{file}, row {row}: {wrong}; {remedy}")
    if not has_rows:
        return ValueError(f"{file} is empty; {remedy}")
    return ValueError(f"{file} cannot be read as CSV of {N_COLUMNS} columns; {remedy}")


def _wrong_with(cells: list[str], labels: range) -> str | None:
    if len(cells) != N_COLUMNS:
        return f"has {len(cells)} columns, expected {N_COLUMNS} ({KAGGLE_LENGTH} values, 1 label)"
    for column, cell in enumerate(cells, start=1):
        try:
            number = float(cell)
        except ValueError:
            return f"column {column} holds {cell!r}, expected a number"
        if not math.isfinite(number):
            return f"column {column} holds {cell!r}, expected a finite number"
    if float(cells[-1]) not in labels:
        return f"has the label {cells[-1]}, expected an integer {labels[0]} to {labels[-1]}"
    return None


def _may_be_published(file: Path) -> bool:
    """Tell whether a file has the name and the size of a published one; line endings differ."""
    published = _PUBLISHED.get(file.name)
    if published is None:
        return False
    return file.stat().st_size in (published.n_bytes, published.n_bytes + published.n_rows)


def _warn_unless_published(file: Path, sha256: str | None) -> None:
    """Warn if a file is not the published one of its name, by its size or SHA-256."""
    published = _PUBLISHED.get(file.name)
    if published is None:
        return
    if not _may_be_published(file):
        size = file.stat().st_size
        differs = f"has {size:,} bytes, the published file {published.n_bytes:,}"
    elif sha256 != published.sha256:
        differs = "has the size of the published file, but not its SHA-256"
    else:
        return
    warnings.warn(
        f"{file} {differs}: figures on it are not comparable with published ones",
        stacklevel=6,
    )


def _sha256(file: Path) -> str:
    """SHA-256 of a file with its line endings brought to LF."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block.replace(b"\r", b""))
    return digest.hexdigest()
