"""Beats in a folder, for data larger than memory."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ecgclf._extras import import_extra
from ecgclf.datasets._beats import PER_BEAT, Beats

#: What is written last: without it, a folder is not complete.
_ABOUT = "beats.json"

#: What all parts must agree in.
_SHARED = ("rhythm_names", "fs", "fs_record", "target_names")

#: Fields that are as large as the number of beats, beside the signals.
_COLUMNS = tuple(name for name in PER_BEAT if name != "data")


def beats_to_memmap(parts: Iterable[Beats], folder: str | Path) -> Beats:
    """Write beats into a folder, one record after another, the signals as a ``.npy`` file.

    Only one part at a time is in memory, and of all beats what is known beside the signals:
    label, patient, record, position, leads and rhythm.

    Parameters
    ----------
    parts : Beats or iterable of Beats
        As from a loader or `ecgclf.transforms.BeatSegmenter`; a generator that loads one record
        after another is what this is made for. Their windows, rates, leads and fields must be
        alike.
    folder : str or Path
        Is made; must not hold any files.

    Returns
    -------
    Beats
        As of `load_beats`.

    Raises
    ------
    FileExistsError
        If there is something in the folder.
    ValueError
        If there are no parts, one differs from the first, or a field holds objects that are
        neither numbers nor text.

    See Also
    --------
    beats_to_zarr : Compressed, for a slow or small disk.

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
    return _write(parts, folder, NpySink)


def beats_to_zarr(parts: Iterable[Beats], folder: str | Path) -> Beats:
    """Write beats into a folder, one record after another, the signals as a Zarr array.

    As `beats_to_memmap`, but the signals are compressed. To train on them takes as much room
    for a temporary file as they have without, see the page "Data larger than memory".

    Parameters
    ----------
    parts : Beats or iterable of Beats
    folder : str or Path

    Returns
    -------
    Beats
        As of `load_beats`.

    Raises
    ------
    ImportError
        If zarr is not installed.
    FileExistsError
        If there is something in the folder.
    ValueError
        As of `beats_to_memmap`.

    Examples
    --------
    >>> from ecgclf.datasets import beats_to_zarr, fetch_mitbih, load_mitbih
    >>> folder = fetch_mitbih()  # doctest: +SKIP
    >>> parts = (load_mitbih(folder, records=[name]) for name in ("100", "101"))
    >>> beats = beats_to_zarr(parts, "two-records")  # doctest: +SKIP
    """
    return _write(parts, folder, ZarrSink)


def load_beats(folder: str | Path) -> Beats:
    """Open what `beats_to_memmap` or `beats_to_zarr` wrote.

    Parameters
    ----------
    folder : str or Path

    Returns
    -------
    Beats
        Its ``data`` is a read-only memory map or a Zarr array; all else is in memory.

    Raises
    ------
    FileNotFoundError
        If the folder was not written by these functions, or not to the end.
    ImportError
        If zarr is needed and not installed.
    ValueError
        If the files do not belong together.

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
            "beats_to_zarr, or not to the end; then delete it and write it again"
        )
    about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    fields: dict[str, Any] = {
        name: np.load(folder / f"{name}.npy", allow_pickle=False)
        if name in about["held"]
        else None
        for name in _COLUMNS
    }
    if about["format"] == ZARR:
        fields["data"] = open_zarr(folder / ZARR)
    else:
        fields["data"] = np.load(folder / NPY, mmap_mode="r")
    lengths = {name: value.shape[0] for name, value in fields.items() if value is not None}
    if set(lengths.values()) != {about["n_beats"]}:
        raise ValueError(
            f"{folder} should hold {about['n_beats']:,} beats, but its files have {lengths}: "
            "they do not belong together; write them again"
        )
    shared = {name: _as_tuple(about[name]) for name in _SHARED}
    return Beats(**fields, **shared, DESCR=about["DESCR"])


def _write(parts: Iterable[Beats], folder: str | Path, make_sink: type[Sink]) -> Beats:
    """Write part after part, then what is known of all of them."""
    folder = Path(folder).expanduser()
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty: choose another folder, or delete it first")
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(parts, Beats):
        parts = [parts]
    first, n_parts = None, 0
    columns: dict[str, list[NDArray]] = {name: [] for name in _COLUMNS}
    with make_sink(folder) as sink:
        for n_parts, part in enumerate(parts, start=1):
            first = part if first is None else first
            _check_alike(part, first, n_parts)
            sink.append(np.asarray(part.data, dtype=np.float32))
            for name in _held(part):
                columns[name].append(_plain(name, part[name]))
    if first is None:
        raise ValueError("parts holds no beats: give the Beats of at least one record")
    for name in _held(first):
        np.save(folder / f"{name}.npy", np.concatenate(columns[name]), allow_pickle=False)
    about = {
        "format": make_sink.name,
        "n_beats": sink.n_rows,
        "held": _held(first),
        **{name: first.get(name) for name in _SHARED},
        "DESCR": _describe(first, n_parts, sink.n_rows),
    }
    (folder / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return load_beats(folder)


def _held(part: Beats) -> list[str]:
    """Name what is known of each beat."""
    return [name for name in _COLUMNS if part.get(name) is not None]


def _check_alike(part: Beats, first: Beats, number: int) -> None:
    """Refuse a part that cannot stand in one array with the first."""
    for what, of_part, of_first in [
        ("beats of the shape", part.data.shape[1:], first.data.shape[1:]),
        ("the fields", _held(part), _held(first)),
        *((name, _as_tuple(part.get(name)), _as_tuple(first.get(name))) for name in _SHARED),
    ]:
        if of_part != of_first:
            raise ValueError(
                f"part {number} has {what} {of_part!r}, but the first has {of_first!r}: load all "
                "of them with the same window, rate, leads and options"
            )


def _plain(name: str, values: Any) -> NDArray:
    """Bring a field into a form that can be written without pickle."""
    array = np.asarray(values)
    if array.dtype.kind in "OT" and all(isinstance(value, str) for value in array.ravel()):
        array = array.astype(np.str_)
    if array.dtype.kind not in "biufSU":
        raise ValueError(
            f"{name} holds objects of the type {type(array.ravel()[0]).__name__}: give numbers "
            "or text, which can be written to a file"
        )
    return array


def _as_tuple(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _describe(first: Beats, n_parts: int, n_beats: int) -> str:
    text = first.get("DESCR") or "It has no description.\n"
    if n_parts == 1:
        return text
    return f"{n_beats:,} beats in {n_parts} parts. Of the first part is said:\n\n{text}"


#: Names of the arrays in their folder.
NPY, ZARR = "data.npy", "data.zarr"

#: Bytes of a chunk before it is compressed.
_CHUNK = 2**20

#: What asks for Zarr, for the message where it is missing.
_ZARR_ARRAYS = "an array of Zarr, unlike that of beats_to_memmap,"


class Sink(ABC):
    """An array in a folder to which rows are appended; open as long as its ``with`` block."""

    #: Of the file or folder.
    name: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.path = folder / self.name
        self.n_rows = 0

    def __enter__(self) -> Sink:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def append(self, rows: NDArray[np.float32]) -> None:
        """Add rows of one shape."""
        self._write(np.ascontiguousarray(rows))
        self.n_rows += len(rows)

    @abstractmethod
    def _write(self, rows: NDArray[np.float32]) -> None:
        """Write rows behind those that are there."""

    @abstractmethod
    def close(self) -> None:
        """Finish what has been written."""


class NpySink(Sink):
    """A ``.npy`` file."""

    name = NPY
    _file: IO[bytes] | None = None

    def _write(self, rows: NDArray[np.float32]) -> None:
        if self._file is None:
            self._file = self.path.open("wb")
            self._shape = rows.shape[1:]
            self._head()
        rows.tofile(self._file)

    def _head(self) -> None:
        """Write the header; numpy leaves room in it for the number of rows to grow."""
        assert self._file is not None
        head = {
            "descr": npy.dtype_to_descr(np.dtype(np.float32)),
            "fortran_order": False,
            "shape": (self.n_rows, *self._shape),
        }
        npy.write_array_header_1_0(self._file, head)
        self._file.flush()

    def close(self) -> None:
        """Write the number of rows into the header."""
        if self._file is not None:
            self._file.seek(0)
            self._head()
            self._file.close()


class ZarrSink(Sink):
    """A Zarr array, compressed by Zarr's default."""

    name = ZARR
    _array: Any = None

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._zarr = import_extra("zarr", _ZARR_ARRAYS)

    def _write(self, rows: NDArray[np.float32]) -> None:
        if self._array is None:
            n_rows = max(1, _CHUNK // max(1, 4 * int(np.prod(rows.shape[1:]))))
            self._array = self._zarr.open(
                str(self.path),
                mode="w",
                shape=(0, *rows.shape[1:]),
                chunks=(n_rows, *rows.shape[1:]),
                dtype="float32",
            )
        self._array.append(rows)

    def close(self) -> None:
        """Do nothing: Zarr has written all."""


def open_zarr(path: Path) -> Any:
    """Open a Zarr array to read it."""
    return import_extra("zarr", _ZARR_ARRAYS).open(str(path), mode="r")
