"""Rows that lie one after another in a file."""

from __future__ import annotations

import mmap
import os
import weakref
from typing import Any

import numpy as np

#: Rows by which it is told whether a file is the one that was mapped.
_N_COMPARED = 8


class FileRows:
    """Rows of numbers that are read from an open file when they are asked for.

    A memory map would do as well, but what is read through it counts as used memory until the
    system wants it back, and a row can bring two megabytes of its neighbours with it.

    Parameters
    ----------
    file : int
        Descriptor of the file, which is closed when this object is no longer used.
    dtype : dtype
    shape : tuple of int
        Number of rows, then the shape of one.
    start : int, default=0
        Byte at which the first row begins.
    stride : int, optional
        Bytes from one row to the next; none lie between them if not given.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryFile() as file:
    ...     np.arange(6, dtype=np.float32).tofile(file)
    ...     rows = FileRows(os.dup(file.fileno()), np.dtype(np.float32), (3, 2))
    >>> rows[np.array([2, 0])]
    array([[4., 5.],
           [0., 1.]], dtype=float32)
    """

    def __init__(
        self,
        file: int,
        dtype: np.dtype,
        shape: tuple[int, ...],
        start: int = 0,
        stride: int | None = None,
    ) -> None:
        self.file = file
        self.dtype = dtype
        self.shape = shape
        self.start = start
        self.n_bytes = dtype.itemsize * int(np.prod(shape[1:]))
        self.stride = self.n_bytes if stride is None else stride
        weakref.finalize(self, os.close, file)

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: np.ndarray) -> np.ndarray:
        """Read the rows at some positions, as an array that cannot be written to."""
        in_order = self.stride == self.n_bytes and (np.diff(index) == 1).all()
        if in_order and len(index):
            content = self._read(int(index[0]), self.n_bytes * len(index))
        else:
            content = b"".join([self._read(row, self.n_bytes) for row in index.tolist()])
        return np.frombuffer(content, self.dtype).reshape(len(index), *self.shape[1:])

    def _read(self, row: int, n_bytes: int) -> bytes:
        """Read from the beginning of a row on."""
        position = self.start + row * self.stride
        content = os.pread(self.file, n_bytes, position)
        while len(content) < n_bytes:  # the system reads 2 GB at most
            more = os.pread(self.file, n_bytes - len(content), position + len(content))
            if not more:
                raise OSError(
                    f"The file of the beats ends at byte {position + len(content):,}, before row "
                    f"{row:,}: it has been cut short since it was opened."
                )
            content += more
        return content


def file_rows(X: np.memmap) -> FileRows | None:
    """Find the rows of a memory map in its file.

    Parameters
    ----------
    X : memmap

    Returns
    -------
    FileRows or None
        None if they cannot be read from there, or are not the same there.
    """
    root: Any = X
    while isinstance(root, np.ndarray):
        root = root.base
    rows_are_whole = X.ndim > 1 and X.size and X[0].flags.c_contiguous and X.strides[0] > 0
    # A private map ("c") holds changes that are not in the file.
    is_shared = isinstance(root, mmap.mmap) and X.mode in ("r", "r+", "w+")
    if not (rows_are_whole and is_shared and X.filename and hasattr(os, "pread")):
        return None
    try:
        file = os.open(X.filename, os.O_RDONLY)
    except OSError:  # it was deleted or renamed
        return None
    first_byte = X.offset - X.offset % mmap.ALLOCATIONGRANULARITY
    rows = FileRows(
        file, X.dtype, X.shape, first_byte + _address(X) - _address(root), X.strides[0]
    )
    if os.fstat(file).st_size != root.size():
        return None
    # Another file may have taken the name.
    for row in np.linspace(0, len(X) - 1, _N_COMPARED).astype(np.int64):
        if rows[np.array([row])].tobytes() != X[row].tobytes():
            return None
    return rows


def _address(memory: Any) -> int:
    """Find where an array or a map begins in memory."""
    if not isinstance(memory, np.ndarray):
        memory = np.frombuffer(memory, np.uint8)
    return memory.__array_interface__["data"][0]
