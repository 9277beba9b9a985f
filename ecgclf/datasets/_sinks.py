"""Arrays on the disk that grow row by row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from pathlib import Path
from typing import IO, Any, ClassVar

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from ecgclf._extras import import_extra

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
