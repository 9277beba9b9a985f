"""Beats in a folder, for data larger than memory."""

from __future__ import annotations

import hashlib
import io
import json
import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ecgclf._docstrings import parameters_from
from ecgclf._extras import import_extra
from ecgclf._files import filling, replacing
from ecgclf.datasets._beats import (
    PER_BEAT,
    SHARED,
    Beats,
    as_tuple,
    check_same_form,
    known_fields,
)

#: Names of the arrays in their folder.
_NPY, _ZARR = "data.npy", "data.zarr"

#: Bytes of a Zarr chunk before compression.
_CHUNK = 2**20

#: Bytes that are verified at a time.
_BLOCK = 2**22

#: Description of the feature that needs Zarr, for the error message.
_ZARR_ARRAYS = "an array of Zarr, unlike that of beats_to_memmap,"

#: File that is written last, so that a folder without it is incomplete.
_ABOUT = "beats.json"


def beats_to_memmap(parts: Iterable[Beats], folder: str | Path) -> Beats:
    """Write beats to a folder, with the signals in a ``.npy`` file.

    Only the signals of one part at a time are in memory, and the other fields of all beats:
    label, patient, record, position, leads and rhythm.

    Parameters
    ----------
    parts : Beats or iterable of Beats
        From a loader or `ecgclf.transforms.BeatSegmenter`, typically a generator that loads
        one record after another. All parts need the same windows, rates, leads and fields.
    folder : str or Path
        Folder to write to. It is created, and must be empty.

    Returns
    -------
    Beats
        As from `load_beats`.

    Raises
    ------
    FileExistsError
        If the folder is not empty.
    BlockingIOError
        If another process is writing to it.
    ValueError
        If there are no parts, one does not have the form of the first, or a field contains
        objects other than numbers and text, or a value is not finite.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf.datasets import beats_to_memmap, make_beats
    >>> parts = (make_beats(n_beats=100, random_state=seed) for seed in range(3))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     beats = beats_to_memmap(parts, folder)
    ...     print(type(beats.data).__name__, beats.data.shape[0], len(beats.target))
    memmap 300 300
    """
    return _write(parts, folder, _NPY, _open_npy)


@parameters_from(beats_to_memmap)
def beats_to_zarr(parts: Iterable[Beats], folder: str | Path) -> Beats:
    """Write beats to a folder, with the signals in a compressed Zarr array.

    Training on a Zarr array needs a temporary file of its uncompressed size, see the page
    "Data larger than memory".

    Returns
    -------
    Beats
        As from `load_beats`.

    Raises
    ------
    ImportError
        If zarr is not installed.
    FileExistsError, BlockingIOError, ValueError
        As for `beats_to_memmap`.

    Examples
    --------
    >>> from ecgclf.datasets import beats_to_zarr, fetch_mitbih, load_mitbih
    >>> folder = fetch_mitbih()  # doctest: +SKIP
    >>> parts = (load_mitbih(folder, records=[name]) for name in ("100", "101"))
    >>> beats = beats_to_zarr(parts, "two-records")  # doctest: +SKIP
    """
    return _write(parts, folder, _ZARR, _open_zarr)


def load_beats(folder: str | Path, *, verify: bool = True) -> Beats:
    """Open beats that were written by `beats_to_memmap` or `beats_to_zarr`.

    Parameters
    ----------
    folder : str or Path
        Folder of the beats.
    verify : bool, default=True
        Compare the signals with their checksum and look for values that are not finite, which
        reads them once. The other fields are always compared.

    Returns
    -------
    Beats
        ``data`` is a read-only memory map or a Zarr array; the other fields are in memory.

    Raises
    ------
    FileNotFoundError
        If the folder was not written by these functions, or is incomplete.
    ImportError
        If zarr is needed and not installed.
    ValueError
        If a file is damaged or does not belong to the others.

    Examples
    --------
    >>> import tempfile
    >>> from ecgclf.datasets import beats_to_memmap, load_beats, make_beats
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     made = beats_to_memmap(make_beats(n_beats=100, random_state=0), folder)
    ...     beats = load_beats(folder)
    ...     print(beats.data.shape == made.data.shape, beats.fs)
    True 120.0
    """
    folder = Path(folder).expanduser()
    if not (folder / _ABOUT).is_file():
        raise FileNotFoundError(
            f"{folder / _ABOUT} is missing: the folder was not written by beats_to_memmap or "
            "beats_to_zarr, or is incomplete. Delete an incomplete folder and write it again."
        )
    try:
        return _open(folder, verify)
    except (OSError, ImportError):
        raise
    except Exception as error:  # damaged bytes can cause any
        reason = error if type(error) is ValueError else f"{type(error).__name__}: {error}"
        raise ValueError(
            f"{folder} contains damaged beats: {reason}. Write them again."
        ) from error


def _open(folder: Path, verify: bool) -> Beats:
    """Open the beats in a folder; damage causes errors of any type."""
    about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    if about.pop("sha256") != _digest_of_json(about):
        raise ValueError(f"{_ABOUT} has another checksum than it states")
    fields: dict[str, Any] = dict.fromkeys(PER_BEAT)
    for name in about["held"]:
        content = (folder / f"{name}.npy").read_bytes()
        if hashlib.sha256(content).hexdigest() != about["checksums"][name]:
            raise ValueError(f"{name}.npy has another checksum than {_ABOUT} states")
        fields[name] = np.load(io.BytesIO(content), allow_pickle=False)
    if about["format"] == _ZARR:
        zarr = import_extra("zarr", _ZARR_ARRAYS)
        fields["data"] = data = zarr.open(str(folder / _ZARR), mode="r")
    else:
        fields["data"] = data = np.load(folder / _NPY, mmap_mode="r", allow_pickle=False)
    if data.dtype != np.float32 or data.shape[0] != about["n_beats"]:
        raise ValueError(f"the signals have the shape {data.shape} and type {data.dtype}")
    if verify:
        digest, step = hashlib.sha256(), max(1, _BLOCK // max(1, 4 * math.prod(data.shape[1:])))
        for start in range(0, data.shape[0], step):
            digest.update(_finite(np.ascontiguousarray(data[start : start + step])).data)
        if digest.hexdigest() != about["checksums"]["data"]:
            raise ValueError(f"{about['format']} has another checksum than {_ABOUT} states")
    shared = {name: as_tuple(about[name]) for name in SHARED}
    return Beats(**fields, **shared, DESCR=about["DESCR"])


def _finite(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return signals, or raise a ValueError if a value is not finite."""
    if not np.isfinite(rows).all():
        raise ValueError("data contains NaN or infinite values. Leave out these beats.")
    return rows


def _digest_of_json(document: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


#: Opens an array in a folder for rows of a shape, and gives the function that appends rows.
_Opener = Callable[[Path, tuple[int, ...]], AbstractContextManager[Callable[[NDArray], Any]]]


def _write(parts: Iterable[Beats], folder: str | Path, name: str, open_array: _Opener) -> Beats:
    """Write the signals of part after part, then the other fields of all parts."""
    folder = Path(folder).expanduser()
    with filling(folder):
        parts = iter([parts] if isinstance(parts, Beats) else parts)
        first = next(parts, None)
        if first is None:
            raise ValueError("parts contains no beats. Give the Beats of at least one record.")
        n_parts = n_beats = 0
        digest = hashlib.sha256()
        fields: dict[str, list[NDArray]] = {field: [] for field in known_fields(first)}
        with open_array(folder, first.data.shape[1:]) as append:
            for n_parts, part in enumerate(chain([first], parts), start=1):
                check_same_form(part, first, n_parts)
                rows = _finite(np.ascontiguousarray(part.data, dtype=np.float32))
                digest.update(rows.data)
                append(rows)
                n_beats += len(rows)
                for field, arrays in fields.items():
                    arrays.append(_as_plain_array(field, part[field]))
        checksums = {"data": digest.hexdigest()}
        for field, arrays in fields.items():
            file = folder / f"{field}.npy"
            np.save(file, np.concatenate(arrays), allow_pickle=False)
            checksums[field] = hashlib.sha256(file.read_bytes()).hexdigest()
        about = {
            "format": name,
            "n_beats": n_beats,
            "held": list(fields),
            "checksums": checksums,
            **{shared: first.get(shared) for shared in SHARED},
            "DESCR": _describe(first, n_parts, n_beats),
        }
        text = json.dumps({**about, "sha256": _digest_of_json(about)}, indent=2)
        with replacing(folder / _ABOUT) as file:
            file.write_text(text + "\n", encoding="utf-8")
    return load_beats(folder, verify=False)


@contextmanager
def _open_npy(folder: Path, row_shape: tuple[int, ...]) -> Iterator[Callable[[NDArray], None]]:
    """Open a ``.npy`` file for appending rows."""
    n_rows = 0

    def write_header() -> None:
        # numpy leaves space in the header for the number of rows to grow.
        shape = (n_rows, *row_shape)
        head = {"descr": "<f4", "fortran_order": False, "shape": shape}
        npy.write_array_header_1_0(file, head)
        file.flush()

    def append(rows: NDArray) -> None:
        nonlocal n_rows
        file.write(rows.astype("<f4", copy=False).data)
        n_rows += len(rows)

    with (folder / _NPY).open("wb") as file:
        write_header()
        yield append
        file.seek(0)
        write_header()


@contextmanager
def _open_zarr(folder: Path, row_shape: tuple[int, ...]) -> Iterator[Callable[[NDArray], Any]]:
    """Open a Zarr array with its default compression for appending rows."""
    n_rows = max(1, _CHUNK // max(1, 4 * int(np.prod(row_shape))))
    array = import_extra("zarr", _ZARR_ARRAYS).open(
        str(folder / _ZARR),
        mode="w",
        shape=(0, *row_shape),
        chunks=(n_rows, *row_shape),
        dtype="float32",
    )
    yield array.append


def _as_plain_array(name: str, values: Any) -> NDArray:
    """Convert a field to an array that can be written without pickle."""
    array = np.asarray(values)
    if array.dtype.kind in "OT" and all(isinstance(value, str) for value in array.ravel()):
        array = array.astype(np.str_)
    if array.dtype.kind not in "biufSU":
        raise ValueError(
            f"{name} contains objects of type {type(array.ravel()[0]).__name__}, which cannot be "
            "written to a file. Give numbers or text."
        )
    return array


def _describe(first: Beats, n_parts: int, n_beats: int) -> str:
    text = first.get("DESCR") or "There is no description.\n"
    if n_parts == 1:
        return text
    return f"{n_beats:,} beats in {n_parts} parts. Description of the first part:\n\n{text}"
