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
from ecgclf.datasets._beats import PER_BEAT, SHARED, Beats, check_same_form, known_fields

#: Names of the arrays in their folder.
_NPY, _ZARR = "data.npy", "data.zarr"

#: Bytes of a Zarr chunk before compression.
_CHUNK = 2**20

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
    ValueError
        If there are no parts, one does not have the form of the first, or a field contains
        objects other than numbers and text.

    See Also
    --------
    beats_to_zarr : Compress the signals, for a slow or small disk.

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
    return _write(parts, folder, _NpySink)


def beats_to_zarr(parts: Iterable[Beats], folder: str | Path) -> Beats:
    """Write beats to a folder, with the signals in a compressed Zarr array.

    Training on a Zarr array needs a temporary file of its uncompressed size, see the page
    "Data larger than memory".

    Parameters
    ----------
    parts : Beats or iterable of Beats
        As for `beats_to_memmap`.
    folder : str or Path
        Folder to write to. It is created, and must be empty.

    Returns
    -------
    Beats
        As from `load_beats`.

    Raises
    ------
    ImportError
        If zarr is not installed.
    FileExistsError, ValueError
        As for `beats_to_memmap`.

    Examples
    --------
    >>> from ecgclf.datasets import beats_to_zarr, fetch_mitbih, load_mitbih
    >>> folder = fetch_mitbih()  # doctest: +SKIP
    >>> parts = (load_mitbih(folder, records=[name]) for name in ("100", "101"))
    >>> beats = beats_to_zarr(parts, "two-records")  # doctest: +SKIP
    """
    return _write(parts, folder, _ZarrSink)


def load_beats(folder: str | Path) -> Beats:
    """Open beats that were written by `beats_to_memmap` or `beats_to_zarr`.

    Parameters
    ----------
    folder : str or Path
        Folder of the beats.

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
            "beats_to_zarr, or is incomplete. Delete an incomplete folder and write it again."
        )
    about = json.loads((folder / _ABOUT).read_text(encoding="utf-8"))
    fields: dict[str, Any] = {
        name: np.load(folder / f"{name}.npy", allow_pickle=False)
        if name in about["held"]
        else None
        for name in PER_BEAT[1:]
    }
    if about["format"] == _ZARR:
        fields["data"] = _open_zarr(folder / _ZARR)
    else:
        fields["data"] = np.load(folder / _NPY, mmap_mode="r")
    lengths = {name: value.shape[0] for name, value in fields.items() if value is not None}
    if set(lengths.values()) != {about["n_beats"]}:
        raise ValueError(
            f"{folder} should contain {about['n_beats']:,} beats, but its files have {lengths}. "
            "Write them again."
        )
    shared = {
        name: tuple(about[name]) if isinstance(about[name], list) else about[name]
        for name in SHARED
    }
    return Beats(**fields, **shared, DESCR=about["DESCR"])


def _write(parts: Iterable[Beats], folder: str | Path, make_sink: type[_Sink]) -> Beats:
    """Write the signals of part after part, then the other fields of all parts."""
    folder = Path(folder).expanduser()
    if folder.exists() and any(folder.iterdir()):
        raise FileExistsError(f"{folder} is not empty. Choose another folder, or delete it.")
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(parts, Beats):
        parts = [parts]
    first, n_parts = None, 0
    columns: dict[str, list[NDArray]] = {name: [] for name in PER_BEAT}
    with make_sink(folder) as sink:
        for n_parts, part in enumerate(parts, start=1):
            first = part if first is None else first
            check_same_form(part, first, n_parts)
            sink.append(np.asarray(part.data, dtype=np.float32))
            for name in known_fields(part):
                columns[name].append(_as_plain_array(name, part[name]))
    if first is None:
        raise ValueError("parts contains no beats. Give the Beats of at least one record.")
    for name in known_fields(first):
        np.save(folder / f"{name}.npy", np.concatenate(columns[name]), allow_pickle=False)
    about = {
        "format": make_sink.name,
        "n_beats": sink.n_rows,
        "held": known_fields(first),
        **{name: first.get(name) for name in SHARED},
        "DESCR": _describe(first, n_parts, sink.n_rows),
    }
    (folder / _ABOUT).write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    return load_beats(folder)


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


class _Sink(ABC):
    """Array on disk to which rows are appended within a ``with`` block."""

    #: Name of the file or folder.
    name: ClassVar[str]

    def __init__(self, folder: Path) -> None:
        self.path = folder / self.name
        self.n_rows = 0

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def append(self, rows: NDArray[np.float32]) -> None:
        """Append rows, all of the same shape."""
        self._write(np.ascontiguousarray(rows))
        self.n_rows += len(rows)

    @abstractmethod
    def _write(self, rows: NDArray[np.float32]) -> None:
        """Write rows at the end."""

    @abstractmethod
    def close(self) -> None:
        """Complete the array."""


class _NpySink(_Sink):
    """Array in a ``.npy`` file."""

    name = _NPY
    _file: IO[bytes] | None = None

    def _write(self, rows: NDArray[np.float32]) -> None:
        if self._file is None:
            self._file = self.path.open("wb")
            self._shape = rows.shape[1:]
            self._head()
        rows.tofile(self._file)

    def _head(self) -> None:
        """Write the header, in which numpy leaves space for the number of rows to grow."""
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


class _ZarrSink(_Sink):
    """Zarr array with its default compression."""

    name = _ZARR
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
        """Do nothing, because Zarr writes at once."""


def _open_zarr(path: Path) -> Any:
    """Open a Zarr array for reading."""
    return import_extra("zarr", _ZARR_ARRAYS).open(str(path), mode="r")
