"""Training data: arrays seen as rows, their labels and weights, batches, and held-out rows."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, DTypeLike
from sklearn.model_selection import GroupShuffleSplit, ShuffleSplit, StratifiedShuffleSplit
from torch import Tensor
from torch.utils.data import Dataset

from ecgclf.training._runtime import derive

#: Bytes of a block when all rows are read in order.
BLOCK_BYTES = 2**22

#: Smallest batch whose rounding does not depend on its size.
SMALLEST_BATCH = 32

#: Number of random splits of which `hold_out` takes the best.
N_SPLITS = 50

#: From rows and positions to beats, codes and weights of one batch.
Gather = Callable[["Rows", np.ndarray], tuple[Tensor, Tensor, Tensor]]


class RowView:
    """View of an array of beats as rows of float32.

    Only the requested rows are copied, so the array may be larger than memory, have any
    numeric type, and have several leads.

    Parameters
    ----------
    X : ndarray or chunked array of shape (n_beats, ...)
        The beats. A chunked array is one of Zarr, h5py, Dask or similar, with ``shape`` and
        ``dtype``, that returns an array for a slice.
    at : ndarray of int, optional
        Positions in `X` of the rows of this view. Default: all rows.
    columns : slice or ndarray of int, optional
        Columns of the rows. Default: all columns.

    Attributes
    ----------
    shape : tuple of int
        Number of rows and columns.
    dtype : dtype
        Always float32.
    """

    dtype = np.dtype(np.float32)

    def __init__(
        self, X: Any, at: np.ndarray | None = None, columns: slice | np.ndarray | None = None
    ) -> None:
        self.source = X
        self.at = at
        self.columns = slice(None) if columns is None else columns
        n_beats = X.shape[0] if at is None else len(at)
        self._width = int(np.prod(X.shape[1:]))
        self.shape = (n_beats, len(np.arange(self._width)[self.columns]))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> np.ndarray:
        """Read rows by slice, positions or mask. A slice may share memory with the source."""
        if np.ndim(index) == 0 and not isinstance(index, slice):
            return self[np.array([range(len(self))[index]])][0]
        if self.at is not None:
            index = self.at[index]
        if isinstance(self.source, np.ndarray):
            beats = self.source[index]
        else:
            beats = _read_chunks(self.source, _positions(index, self.source.shape[0]))
        rows = beats.reshape(len(beats), self._width)[:, self.columns]
        # torch does not copy a writable array.
        return np.require(rows, self.dtype, ["C", "W"])

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        """Read all rows."""
        return np.array(self[:], dtype=dtype)

    def take(self, rows: ArrayLike) -> RowView:
        """Select rows by mask or position, without reading them."""
        at = _positions(rows, len(self))
        return RowView(self.source, at if self.at is None else self.at[at], self.columns)

    def blocks(self) -> Iterator[np.ndarray]:
        """Read all rows in order, in blocks of a few megabytes; yield at least one block."""
        n_rows = max(1, BLOCK_BYTES // max(1, 4 * self.shape[1]))
        chunk = (getattr(self.source, "chunks", None) or (1,))[0]
        if isinstance(chunk, int):  # whole chunks, so that none is unpacked twice
            n_rows = -(-n_rows // chunk) * chunk
        for start in range(0, max(1, len(self)), n_rows):
            yield self[start : start + n_rows]

    def select(self, columns: Sequence[int]) -> RowView:
        """Select columns, without reading them."""
        first, last = columns[0], columns[-1]
        if list(columns) == list(range(first, last + 1)):  # a slice copies nothing
            return RowView(self.source, self.at, slice(first, last + 1))
        return RowView(self.source, self.at, np.asarray(columns))

    def unpacked(self) -> RowView:
        """Copy a chunked array to a temporary file, so that rows can be read in any order.

        Returns
        -------
        RowView
            This view, unless its array is chunked. Otherwise a view of a temporary file that is
            deleted with it.

        Raises
        ------
        OSError
            If there is not enough room for temporary files.
        """
        if isinstance(self.source, np.ndarray):
            return self
        folder = tempfile.gettempdir()
        n_bytes = self.dtype.itemsize * self.shape[0] * self.shape[1]
        free = shutil.disk_usage(folder).free
        if n_bytes > free:
            raise OSError(
                f"The beats need {n_bytes / 1e9:.1f} GB in a temporary file, but {folder} has "
                f"{free / 1e9:.1f} GB left: set the environment variable TMPDIR to a folder with "
                "more room."
            )
        with tempfile.TemporaryFile() as file:
            for block in self.blocks():
                np.ascontiguousarray(block).tofile(file)
            file.flush()
            return RowView(np.memmap(file, self.dtype, "r", shape=self.shape))


def _positions(index: Any, n_rows: int) -> np.ndarray:
    """Convert a slice, a mask or positions to positions."""
    if isinstance(index, slice):
        return np.arange(*index.indices(n_rows))
    index = np.asarray(index)
    return np.flatnonzero(index) if index.dtype == bool else index


def _read_chunks(X: Any, index: np.ndarray) -> np.ndarray:
    """Read rows from a chunked array as one slice."""
    if not len(index):
        return np.asarray(X[:0])
    first = int(index.min())
    return np.asarray(X[first : int(index.max()) + 1])[index - first]


class Rows(Dataset):
    """Beats as rows, with class codes, weights and the place in a recording.

    Parameters
    ----------
    X : RowView or ndarray of shape (n_beats, n_columns)
        The rows.
    y : ndarray of shape (n_beats,) or (n_beats, n_labels), int64, optional
        Class codes, or an indicator matrix. Default: 0.
    weight : ndarray of the shape of `y`, optional
        Weights, kept in double precision. Default: 1.
    record : ndarray of shape (n_beats,), int, optional
        Number of the record of each beat. None if the beats do not belong to records.
    position : ndarray of shape (n_beats,), optional
        Position of each beat in its record, in any unit of time.
    """

    def __init__(
        self,
        X: RowView | np.ndarray,
        y: np.ndarray | None = None,
        weight: np.ndarray | None = None,
        record: np.ndarray | None = None,
        position: np.ndarray | None = None,
    ) -> None:
        n_beats = len(X)
        self.view = X if isinstance(X, RowView) else RowView(X)
        self.y = np.zeros(n_beats, np.int64) if y is None else np.asarray(y, np.int64)
        self.weight = np.ones(n_beats) if weight is None else np.asarray(weight, np.float64)
        self.record = record
        self.position = position

    def __len__(self) -> int:
        return len(self.view)

    @property
    def X(self) -> np.ndarray:  # noqa: N802
        """All rows, read into memory."""
        return self.view[:]

    def replace(self, y: np.ndarray, weight: np.ndarray) -> Rows:
        """Replace the class codes and the weights."""
        return Rows(self.view, y, weight, self.record, self.position)

    def take(self, rows: np.ndarray) -> Rows:
        """Select rows by mask or position, without copying the beats."""
        places = [None if part is None else part[rows] for part in (self.record, self.position)]
        return Rows(self.view.take(rows), self.y[rows], self.weight[rows], *places)

    def used(self) -> np.ndarray:
        """Find the rows to train on, as a mask: in records all, because beats have neighbours."""
        if self.record is not None:
            return np.full(len(self), True)
        return np.asarray(self.weight.reshape(len(self), -1).any(axis=1))

    def with_mean_weight_1(self) -> Rows:
        """Scale the weights to a mean of 1."""
        return self.replace(self.y, self.weight / self.weight.mean())

    def distinct(self) -> Rows:
        """Merge equal rows: each row once, in a fixed order, with the sum of its weights.

        A dataset that fits in one batch is trained in this form. Repeating a beat is then
        equal to the last bit to increasing its weight, even with batch norm.
        """
        labelled = np.column_stack([self.X, self.y])
        _, first, which = np.unique(labelled, axis=0, return_index=True, return_inverse=True)
        weight = np.zeros((len(first), *self.weight.shape[1:]))
        np.add.at(weight, which.ravel(), self.weight)
        return Rows(self.view.take(first), self.y[first], weight)


class Batches:
    """Batches of rows, of equal size give or take one row.

    Parameters
    ----------
    rows : Rows
        The dataset.
    batch_size : int
        Largest number of rows in a batch. The number of batches is the smallest possible, and
        no batch is a small remainder.
    device : torch.device
        Device of the batches. Another device than the CPU gets the whole dataset at once if that
        takes at most half of its free memory, otherwise batch by batch.
    shuffle : bool, default=False
        Whether to shuffle the rows.
    augment : callable, optional
        Function of a batch of shape (batch, n_columns) and a generator.

    Attributes
    ----------
    seed : int
        Seed of the next pass; it determines the order of the rows and the augmentation.
    part : tuple of two ints
        Rank of this process and number of processes, by default (0, 1). Each process gets its
        part of every batch, with weights such that the mean of the losses of all processes is
        the loss of the batch.
    """

    def __init__(
        self,
        rows: Rows,
        batch_size: int,
        device: torch.device,
        *,
        shuffle: bool = False,
        augment: Callable[[Tensor, torch.Generator], Tensor] | None = None,
    ) -> None:
        self.rows = rows
        self.batch_size = batch_size
        self.device = device
        self.shuffle = shuffle
        self.augment = augment
        self.seed = 0
        self.part = 0, 1
        self.n_items = len(rows)

    @cached_property
    def _gather(self) -> Gather:
        return _gather_for(self.rows, self.device)

    def __len__(self) -> int:
        return -(-self.n_items // self.batch_size)

    def sizes(self) -> list[int]:
        """Count the rows of each whole batch."""
        size, n_larger = divmod(self.n_items, len(self))
        return [size + (i < n_larger) for i in range(len(self))]

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        rank, n_parts = self.part
        rng = torch.Generator().manual_seed(self.seed)
        on_device = torch.Generator(self.device)
        # Each process draws different noise.
        on_device.manual_seed(derive(self.seed, rank) if rank else self.seed)
        for batch in self._draw(rng):
            index = batch if n_parts == 1 else np.array_split(batch, n_parts)[rank]
            x, y, weight = self._gather(self.rows, index.ravel())
            if n_parts > 1:
                weight = weight * (len(index) * n_parts / len(batch))
            if self.augment is not None:
                x = self.augment(x, on_device)
            yield self._arrange(index, x, y, weight, on_device)

    def _draw(self, rng: torch.Generator) -> Iterable[np.ndarray]:
        """Choose the rows of each batch of one pass."""
        n_beats = len(self.rows)
        order = (
            torch.randperm(n_beats, generator=rng).numpy() if self.shuffle else np.arange(n_beats)
        )
        return np.array_split(order, len(self))

    def _arrange(
        self,
        index: np.ndarray,
        x: Tensor,
        y: Tensor,
        weight: Tensor,
        generator: torch.Generator,
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Convert the rows at `index` to a batch of the network."""
        return {"x": x, "weight": weight}, y


def _gather_for(rows: Rows, device: torch.device) -> Gather:
    """Choose how to bring batches of these rows to a device."""
    if device.type == "cpu":
        return _gather_on_cpu
    return _Resident(rows, device) if _has_room(device, rows) else partial(_gather_to, device)


def _has_room(device: torch.device, rows: Rows) -> bool:
    """Check that the rows take at most half of the free memory; known for CUDA only."""
    n_rows, n_columns = rows.view.shape
    return (
        device.type != "cuda" or 4 * n_rows * n_columns <= torch.cuda.mem_get_info(device)[0] / 2
    )


def _gather_on_cpu(rows: Rows, index: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Gather with numpy, which also reads memory maps and read-only arrays."""
    return (
        torch.from_numpy(rows.view[index]),
        torch.from_numpy(rows.y[index]),
        torch.from_numpy(rows.weight[index].astype(np.float32)),
    )


def _gather_to(
    device: torch.device, rows: Rows, index: np.ndarray
) -> tuple[Tensor, Tensor, Tensor]:
    """Gather in main memory and copy the batch to the device."""
    x, y, weight = (tensor.to(device) for tensor in _gather_on_cpu(rows, index))
    return x, y, weight


class _Resident:
    """Gather from a copy of the dataset on the device."""

    def __init__(self, rows: Rows, device: torch.device) -> None:
        x = torch.empty(rows.view.shape, device=device)
        start = 0
        for block in rows.view.blocks():
            x[start : start + len(block)] = torch.tensor(block)
            start += len(block)
        arrays = rows.y, rows.weight.astype(np.float32)
        self.tensors = [x, *(torch.tensor(array, device=device) for array in arrays)]
        self.device = device

    def __call__(self, rows: Rows, index: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        positions = torch.from_numpy(index).to(self.device, non_blocking=True)
        x, y, weight = (tensor[positions] for tensor in self.tensors)
        return x, y, weight


def hold_out(
    y: np.ndarray, fraction: float, seed: int, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Split the rows into a training and a validation part.

    The training part keeps all classes, and the class shares of the two parts are as similar as
    possible.

    Parameters
    ----------
    y : ndarray of shape (n_beats,) or (n_beats, n_labels)
        Class codes, or an indicator matrix.
    fraction : float
        Share of the rows, or of the patients, for validation.
    seed : int
        Seed of the split.
    groups : ndarray of shape (n_beats,), optional
        Patient of each beat. Each patient is in one part only.

    Returns
    -------
    train, valid : ndarray of int
        Positions of the rows.

    Raises
    ------
    ValueError
        If there are too few beats or patients to validate, and to train on two classes.
    """
    if groups is not None:
        n_patients = len(np.unique(groups))
        if n_patients < 2:
            raise ValueError(
                f"early_stopping=True with groups needs at least 2 patients, got {n_patients}: "
                "give more patients, or set early_stopping=False."
            )
        if np.ceil(fraction * n_patients) >= n_patients:
            raise ValueError(
                f"early_stopping=True needs patients to train on: validation_fraction={fraction} "
                f"of {n_patients} patients leaves none."
            )
        splitter = GroupShuffleSplit(N_SPLITS, test_size=fraction, random_state=seed)
        splits = splitter.split(y, y, groups)
    else:
        counts = _class_counts(y)
        n_valid = int(np.ceil(fraction * len(y)))
        if n_valid >= len(y):
            raise ValueError(
                f"early_stopping=True needs rows to train on: validation_fraction={fraction} of "
                f"{len(y)} beats leaves none."
            )
        n_classes = np.count_nonzero(counts)
        if (
            y.ndim == 1
            and counts[counts > 0].min() > 1
            and n_classes <= min(n_valid, len(y) - n_valid)
        ):
            splitter = StratifiedShuffleSplit(1, test_size=n_valid, random_state=seed)
        else:
            splitter = ShuffleSplit(N_SPLITS, test_size=n_valid, random_state=seed)
        splits = splitter.split(y, y)
    train, valid = min(splits, key=lambda parts: _badness(y, parts[1], fraction))
    if len(np.unique(y[train])) == 1 < len(np.unique(y)):
        raise ValueError(
            "early_stopping=True leaves beats of only one class to train on: lower "
            f"validation_fraction={fraction}, give more beats or patients, or set "
            "early_stopping=False."
        )
    return train, valid


def _badness(y: np.ndarray, valid: np.ndarray, fraction: float) -> tuple[int, float]:
    """Count the classes missing from training, and measure how uneven the class shares are."""
    counts = _class_counts(y)
    held_out = _class_counts(y[valid], len(counts))
    present = counts > 0
    share = held_out[present] / counts[present]
    return int(np.sum(share == 1)), float(np.abs(share - fraction).sum())


def _class_counts(y: np.ndarray, n_classes: int = 0) -> np.ndarray:
    """Count the rows of each class, or with each label."""
    return y.sum(axis=0) if y.ndim == 2 else np.bincount(y, minlength=n_classes)
