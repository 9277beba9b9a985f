"""The Kaggle "heartbeat" set: its CSV files, and its rows rebuilt from the raw records."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from pathlib import Path
from typing import Literal, NamedTuple, TypeAlias, overload

import numpy as np
import pandas as pd
import pooch
from numpy.typing import NDArray

from ecgclf._docstrings import parameters_from
from ecgclf._files import replacing
from ecgclf.datasets._beats import Arrays, Beats, Frames, convert
from ecgclf.datasets._databases import (
    AAMI_CLASSES,
    KAGGLE_DESCR,
    KAGGLE_FROM_CSV,
    KAGGLE_FROM_RECORDS,
    MITBIH_RECORDS,
    count_classes,
)
from ecgclf.datasets._wfdb_loaders import load_mitbih
from ecgclf.datasets._windows import KAGGLE_LENGTH, KAGGLE_STEP

_FS = 360.0 / KAGGLE_STEP

_CSV_FILES = {"train": "mitbih_train.csv", "test": "mitbih_test.csv"}
_PARTS = {"train": ("train",), "test": ("test",), "all": ("train", "test")}

#: Columns of the CSV files: the values and the label.
_N_COLUMNS = KAGGLE_LENGTH + 1


class _Published(NamedTuple):
    n_rows: int
    n_bytes: int
    sha256: str


#: The published files, with line feeds as line ends.
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


Subset: TypeAlias = Literal["train", "test", "all"]


@overload
def load_kaggle_heartbeat(
    path: str | Path,
    subset: Subset = ...,
    *,
    return_X_y: Literal[False] = ...,
    as_frame: bool = ...,
) -> Beats: ...
@overload
def load_kaggle_heartbeat(
    path: str | Path,
    subset: Subset = ...,
    *,
    return_X_y: Literal[True],
    as_frame: Literal[False] = ...,
) -> Arrays: ...
@overload
def load_kaggle_heartbeat(
    path: str | Path,
    subset: Subset = ...,
    *,
    return_X_y: Literal[True],
    as_frame: Literal[True],
) -> Frames: ...


@parameters_from(convert)
def load_kaggle_heartbeat(
    path: str | Path,
    subset: Subset = "train",
    *,
    return_X_y: bool = False,
    as_frame: bool = False,
) -> Beats | Arrays | Frames:
    """Load the MIT-BIH part of the Kaggle "heartbeat" set [1]_.

    From the raw records it is rebuilt row by row, and each row keeps its patient, record,
    position, lead and rhythm features, which are not in the CSV files. Contrary to the paper,
    rows start at the annotations and have a rate of 120 Hz. The published split divides beats,
    not patients. See ``DESCR`` and the page "The Kaggle heartbeat dataset".

    Parameters
    ----------
    path : str or Path
        Folder with the 48 raw records of the MIT-BIH Arrhythmia Database, or with
        ``mitbih_train.csv`` and ``mitbih_test.csv``. Records have priority.
    subset : {"train", "test", "all"}, default="train"
        "test" gives the published test rows, also from the records in their published order.
        "train" gives all others; from the records, in order of record and time. "all" gives
        the training rows, then the test rows.

    Returns
    -------
    Beats or tuple (data, target)
        ``data`` is float32 of shape (n_beats, 187), scaled to [0, 1] and padded with zeros:
        87,554 training and 21,892 test rows. ``target`` holds the AAMI classes "N", "S",
        "V", "F" and "Q", which are 0 to 4 in the CSV files. ``fs`` is 120 Hz. From the CSV
        files, ``groups``, ``record``, ``sample``, ``lead`` and ``rhythm`` are None.

    Raises
    ------
    FileNotFoundError
        If the folder contains neither records nor CSV files, or a file is missing.
    RecordError
        If a raw record is damaged.
    ValueError
        If `subset` is unknown, or a CSV file has an invalid row.

    Warns
    -----
    UserWarning
        If a CSV file is not the published one.

    Notes
    -----
    The numbers read from a CSV file of the name and size of a published one are kept in the
    user's cache folder until the file changes, because parsing takes long.

    References
    ----------
    .. [1] Kachuee M, Fazeli S, Sarrafzadeh M. ECG heartbeat classification: a deep
       transferable representation. IEEE ICHI, 2018. arXiv:1805.00794.

    Examples
    --------
    >>> from ecgclf.datasets import fetch_mitbih, load_kaggle_heartbeat
    >>> beats = load_kaggle_heartbeat(fetch_mitbih(), subset="test")  # doctest: +SKIP
    >>> beats.data.shape  # doctest: +SKIP
    (21892, 187)
    """
    if subset not in _PARTS:
        raise ValueError(f'subset={subset!r}: expected "train", "test" or "all".')
    folder = Path(path).expanduser()
    csv_files = [folder / _CSV_FILES[part] for part in _PARTS[subset]]
    has_csv = all(file.is_file() for file in csv_files)
    has_records = [(folder / f"{name}.hea").is_file() for name in MITBIH_RECORDS]
    if all(has_records) or (any(has_records) and not has_csv):
        beats = load_mitbih(folder, window="kaggle")
        test = _test_rows(beats)
        train = np.setdiff1d(np.arange(len(beats.target)), test)
        rows = {"train": train, "test": test, "all": np.append(train, test)}
        beats = beats.select(rows[subset])
        source = KAGGLE_FROM_RECORDS.format(folder=folder)
    elif has_csv:
        beats = beats_of_csv(csv_files, AAMI_CLASSES, _FS)
        source = KAGGLE_FROM_CSV.format(files=" and ".join(map(str, csv_files)))
    else:
        needed = " and ".join(file.name for file in csv_files)
        raise FileNotFoundError(
            f"{folder} contains neither {needed} nor the raw records (100.hea, 100.dat, "
            "100.atr, ...). fetch_mitbih() downloads the records and returns their folder."
        )
    counts = count_classes(beats.target, AAMI_CLASSES)
    beats.DESCR = KAGGLE_DESCR.format(subset=subset, source=source, counts=counts)
    return convert(beats, return_X_y=return_X_y, as_frame=as_frame)


def _test_rows(beats: Beats) -> NDArray[np.intp]:
    """Find the published test rows among all rows, in their published order."""
    with (files(__package__) / "data" / "kaggle_heartbeat_test_split.npz").open("rb") as file:
        published = np.load(file)
        wanted = _key(published["record"], published["sample"])
    # Records and their annotations are in order, so the keys of all rows are sorted.
    known = _key(beats.record.astype(np.int64), beats.sample)
    rows = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    n_missing = int(np.sum(known[rows] != wanted))
    if n_missing:
        raise ValueError(
            f"{n_missing:,} of the {len(wanted):,} published test beats are not among the "
            "annotations of these records. Use version 1.0.0 of the MIT-BIH Arrhythmia Database, "
            "which fetch_mitbih() downloads."
        )
    return rows


def _key(record: NDArray[np.integer], sample: NDArray[np.integer]) -> NDArray[np.int64]:
    """Combine record and position to one number, which sorts like the pair."""
    return record.astype(np.int64) * 1_000_000 + sample


def beats_of_csv(csv_files: Sequence[Path], classes: tuple[str, ...], fs: float) -> Beats:
    """Read the beats of CSV files, of which each row has 187 values and the number of its class.

    ``DESCR`` is empty, and all per-beat fields except ``data`` and ``target`` are None.
    """
    tables = []
    for file in csv_files:
        tables.append(_read_csv(file, range(len(classes))))
    return Beats(
        data=np.concatenate([table[:, :-1] for table in tables]),
        target=np.array(classes)[np.concatenate([table[:, -1] for table in tables]).astype(int)],
        **dict.fromkeys(("groups", "record", "sample", "lead", "rhythm")),
        rhythm_names=(),
        fs=fs,
        fs_record=None,
        target_names=classes,
        DESCR="",
    )


def _read_csv(file: Path, labels: range) -> NDArray[np.float32]:
    """Read a file, and warn if it is not the published one of its name."""
    published = _PUBLISHED.get(file.name)
    if published is None:
        return _parse_csv(file, labels)
    size = file.stat().st_size
    if size in (published.n_bytes, published.n_bytes + published.n_rows):  # with any line ends
        table, sha256 = _read_with_cache(file, labels)
        if sha256 == published.sha256:
            return table
        differs = "has the size of the published file, but not its SHA-256"
    else:
        table = _parse_csv(file, labels)
        differs = f"has {size:,} bytes, the published file {published.n_bytes:,}"
    warnings.warn(
        f"{file} {differs}. Figures on it are not comparable with published ones.",
        UserWarning,
        stacklevel=4,
    )
    return table


def _read_with_cache(file: Path, labels: range) -> tuple[NDArray[np.float32], str]:
    """Read a file that is parsed once, with its SHA-256."""
    state = file.stat()
    key = f"{file.resolve()} {state.st_size} {state.st_mtime_ns}"
    place = cache_folder() / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.npz"
    try:
        with np.load(place, allow_pickle=False) as kept:
            return kept["table"], str(kept["sha256"])
    except Exception:
        pass  # not there; or damaged, which can raise any error
    with ThreadPoolExecutor(1) as pool:  # both release the interpreter lock
        hashing = pool.submit(_sha256, file)
        table = _parse_csv(file, labels)
        sha256 = hashing.result()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with replacing(place) as part, part.open("wb") as whole:
            np.savez(whole, table=table, sha256=np.array(sha256))
    except OSError:
        pass  # the cache is not writable
    return table, sha256


def _parse_csv(file: Path, labels: range) -> NDArray[np.float32]:
    """Parse a file, and check its values and labels."""
    try:
        # Values were printed from float32 with 19 digits. The parser may be off in the last
        # place of a double, which is far below half a step of float32.
        with np.errstate(over="ignore"):
            table = pd.read_csv(file, header=None, dtype=np.float32, engine="c").to_numpy()
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise _error_of_csv(file, labels) from error
    is_valid = (
        table.shape[1] == _N_COLUMNS
        and np.isfinite(table).all()
        and np.isin(table[:, -1], labels).all()
    )
    if not is_valid:
        raise _error_of_csv(file, labels)
    return table


def _error_of_csv(file: Path, labels: range) -> ValueError:
    """Describe the first invalid row of a file."""
    remedy = "Download the file again, or correct the row."
    has_rows = False
    with file.open(encoding="utf-8", errors="replace") as lines:
        for row, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            has_rows = True
            fault = _fault_of_row(line.rstrip("\r\n").split(","), labels)
            if fault:
                return ValueError(f"{file}, row {row}: {fault}. {remedy}")
    fault = f"cannot be read as CSV of {_N_COLUMNS} columns" if has_rows else "is empty"
    return ValueError(f"{file} {fault}. {remedy}")


def _fault_of_row(cells: list[str], labels: range) -> str | None:
    if len(cells) != _N_COLUMNS:
        return f"has {len(cells)} columns, expected {_N_COLUMNS} (values and label)"
    for column, cell in enumerate(cells, start=1):
        try:
            number = float(cell)
        except ValueError:
            return f"column {column} contains {cell!r}, expected a number"
        if not math.isfinite(number):
            return f"column {column} contains {cell!r}, expected a finite number"
    if float(cells[-1]) not in labels:
        return f"has the label {cells[-1]}, expected an integer {labels[0]} to {labels[-1]}"
    return None


def _sha256(file: Path) -> str:
    """Compute the SHA-256 of a file without carriage returns."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block.replace(b"\r", b""))
    return digest.hexdigest()


def cache_folder() -> Path:
    """Return the user's cache folder for tables; it need not exist."""
    return Path(pooch.os_cache("ecgclf")) / "csv"
