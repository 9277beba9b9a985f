"""Beats of any array as rows of float32, read a few at a time."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

from ecgclf.training._file_rows import FileRows, file_rows

#: Bytes of the rows that are read at once where all of them are wanted in turn.
BLOCK_BYTES = 2**22


class RowView:
    """An array of beats, seen as rows of float32.

    Nothing is copied but the rows that are asked for, so the array may be larger than the
    memory, of another type of numbers, or have several leads.

    Parameters
    ----------
    X : ndarray or chunked array of shape (n_beats, ...)
        A chunked array is one of Zarr, h5py, Dask or the like: it has ``shape`` and ``dtype``
        and gives an array for a slice.
    at : ndarray of int, optional
        Positions in `X` of the rows of this view; all of `X` if not given.

    Attributes
    ----------
    shape : tuple of int
        Number of rows and columns.
    dtype : dtype
        Always float32.

    Examples
    --------
    >>> view = RowView(np.arange(12).reshape(3, 2, 2))
    >>> view.shape
    (3, 4)
    >>> view.take([2, 0])[0]
    array([ 8.,  9., 10., 11.], dtype=float32)
    """

    dtype = np.dtype(np.float32)

    def __init__(self, X: Any, at: np.ndarray | None = None) -> None:
        of_file = file_rows(X) if isinstance(X, np.memmap) else None
        self.source = X if of_file is None else of_file
        self.at = at
        n_beats = X.shape[0] if at is None else len(at)
        self.shape = (n_beats, int(np.prod(X.shape[1:])))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        """Read some rows, by slice, positions or mask; a slice of memory may be a view."""
        if np.ndim(index) == 0 and not isinstance(index, slice):
            return self[np.array([range(len(self))[index]])][0]
        if self.at is not None:
            index = self.at[index]
        if isinstance(self.source, np.ndarray):
            beats = self.source[index]
        elif isinstance(self.source, FileRows):
            beats = self.source[_positions(index, self.source.shape[0])]
        else:
            beats = _read_chunks(self.source, _positions(index, self.source.shape[0]))
        # What can be written to, torch takes without a copy of its own.
        return np.require(beats.reshape(len(beats), self.shape[1]), self.dtype, ["C", "W"])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        """Read all rows."""
        return np.array(self[:], dtype=dtype)

    def __reduce__(self) -> tuple:
        """Pickle the rows: an open file means nothing to another process."""
        return RowView, (self[:],)

    def take(self, rows: ArrayLike) -> RowView:
        """Return a view of some of the rows, by mask or position."""
        positions = _positions(rows, len(self))
        return RowView(self.source, positions if self.at is None else self.at[positions])

    def blocks(self) -> Iterator[np.ndarray]:
        """Read all rows in turn, a few megabytes at a time; at least one block."""
        n_rows = max(1, BLOCK_BYTES // max(1, 4 * self.shape[1]))
        chunk = (getattr(self.source, "chunks", None) or (1,))[0]
        if isinstance(chunk, int):  # no chunk is to be unpacked twice
            n_rows = -(-n_rows // chunk) * chunk
        for start in range(0, max(1, len(self)), n_rows):
            yield self[start : start + n_rows]

    def unpacked(self) -> RowView:
        """Bring chunks that can only be read in order into a form to read at random.

        Returns
        -------
        RowView
            This one, unless its array is chunked: then one of a temporary file, which vanishes
            with it.

        Raises
        ------
        OSError
            If the folder for temporary files has no room for it.
        """
        if isinstance(self.source, (np.ndarray, FileRows)):
            return self
        with tempfile.TemporaryFile() as file:
            self.write(file, tempfile.gettempdir())
            if not hasattr(os, "pread"):
                return RowView(np.memmap(file, self.dtype, "r", shape=self.shape))
            return RowView(FileRows(os.dup(file.fileno()), self.dtype, self.shape))

    def write(self, file: Any, folder: str) -> None:
        """Write all rows into an open file that lies in `folder`.

        Raises
        ------
        OSError
            If there is no room for it.
        """
        n_bytes = self.dtype.itemsize * self.shape[0] * self.shape[1]
        free = shutil.disk_usage(folder).free
        if n_bytes > free:
            raise OSError(
                f"The beats take {n_bytes / 1e9:.1f} GB in a temporary file, but {folder} has "
                f"{free / 1e9:.1f} GB left: let the environment variable TMPDIR name a folder "
                "with more room."
            )
        for block in self.blocks():
            np.ascontiguousarray(block).tofile(file)
        file.flush()


def _positions(index: Any, n_rows: int) -> np.ndarray:
    """Turn a slice, a mask or positions into positions."""
    if isinstance(index, slice):
        return np.arange(*index.indices(n_rows))
    index = np.asarray(index)
    return np.flatnonzero(index) if index.dtype == bool else index


def _read_chunks(X: Any, index: np.ndarray) -> np.ndarray:
    """Read rows that lie near each other out of an array that is quick to read in order."""
    if not len(index):
        return np.asarray(X[:0])
    first = int(index.min())
    return np.asarray(X[first : int(index.max()) + 1])[index - first]
