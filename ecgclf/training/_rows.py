"""Training data: arrays seen as rows, their labels and weights, batches, and held-out rows."""

from __future__ import annotations

import math
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
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


class RowView:
    """View of an array of shape (n_beats, ...) as rows of float32, or of some rows and columns.

    Only the requested rows are copied, so the array may be larger than memory, have any numeric
    type, and have several leads. It may be a chunked array of Zarr, h5py, Dask or similar, with
    ``shape`` and ``dtype``, that returns an array for a slice.
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

        The file is deleted with the view of it.
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
    """Beats as rows, with class codes or an indicator matrix, weights and the place in a record.

    `record` is the number of the record of each beat, or None if the beats do not belong to
    records, and `position` the place in it in any unit of time. Weights have double precision.
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
    """Batches of at most `batch_size` rows, of equal size give or take one row.

    Another device than the CPU gets the whole dataset at once if that takes at most half of its
    free memory, otherwise batch by batch.
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
        #: Seed of the order of the rows and of the augmentation in the next pass.
        self.seed = 0
        #: Rank of this process and number of processes. Each process gets its part of every
        #: batch, with weights such that the mean of their losses is the loss of the batch.
        self.part = 0, 1
        self.n_items = len(rows)

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
            x, y, weight = self._gather(index.ravel())
            if n_parts > 1:
                weight = weight * (len(index) * n_parts / len(batch))
            if self.augment is not None:
                x = self.augment(x, on_device)
            yield self._arrange(index, x, y, weight, on_device)

    @cached_property
    def _resident(self) -> list[Tensor] | None:
        """Copy of the dataset on a device with room for it; the CPU needs none."""
        if self.device.type == "cpu" or not _has_room(self.device, self.rows):
            return None
        return _copy_to(self.device, self.rows)

    def _gather(self, index: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
        """Gather the rows of a batch on the device."""
        if self._resident is not None:
            positions = torch.from_numpy(index).to(self.device, non_blocking=True)
            x, y, weight = (tensor[positions] for tensor in self._resident)
        else:
            rows = self.rows
            arrays = rows.view[index], rows.y[index], rows.weight[index].astype(np.float32)
            x, y, weight = (torch.from_numpy(array).to(self.device) for array in arrays)
        return x, y, weight

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


def _has_room(device: torch.device, rows: Rows) -> bool:
    """Check that the rows take at most half of the free memory; known for CUDA only."""
    if device.type != "cuda":
        return True
    return 4 * math.prod(rows.view.shape) <= torch.cuda.mem_get_info(device)[0] / 2


def _copy_to(device: torch.device, rows: Rows) -> list[Tensor]:
    """Copy the rows, their codes and their weights to a device, block by block."""
    x = torch.empty(rows.view.shape, device=device)
    start = 0
    for block in rows.view.blocks():
        x[start : start + len(block)] = torch.tensor(block)
        start += len(block)
    arrays = rows.y, rows.weight.astype(np.float32)
    return [x, *(torch.tensor(array, device=device) for array in arrays)]


def hold_out(
    y: np.ndarray, fraction: float, seed: int, groups: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Split the rows, or the patients in `groups`, into a training and a validation part.

    The training part keeps all classes, and the class shares of the two parts are as similar as
    possible. The result is the positions of the rows of each part.
    """
    n, unit = (len(y), "beats") if groups is None else (len(np.unique(groups)), "patients")
    if groups is not None and n < 2:
        raise ValueError(
            f"early_stopping=True with groups needs at least 2 patients, got {n}: give more "
            "patients, or set early_stopping=False."
        )
    n_valid = int(np.ceil(fraction * n))
    if n_valid >= n:
        raise ValueError(
            f"early_stopping=True needs {unit} to train on: validation_fraction={fraction} of "
            f"{n} {unit} leaves none."
        )
    if groups is not None:
        splitter = GroupShuffleSplit(N_SPLITS, test_size=fraction, random_state=seed)
    elif _can_stratify(y, n_valid):
        splitter = StratifiedShuffleSplit(1, test_size=n_valid, random_state=seed)
    else:
        splitter = ShuffleSplit(N_SPLITS, test_size=n_valid, random_state=seed)
    splits = splitter.split(y, y, groups)
    train, valid = min(splits, key=lambda parts: _badness(y, parts[1], fraction))
    if len(np.unique(y[train])) == 1 < len(np.unique(y)):
        raise ValueError(
            "early_stopping=True leaves beats of only one class to train on: lower "
            f"validation_fraction={fraction}, give more beats or patients, or set "
            "early_stopping=False."
        )
    return train, valid


def _can_stratify(y: np.ndarray, n_valid: int) -> bool:
    """Return whether each part can have a beat of each class."""
    if y.ndim == 2:
        return False
    counts = np.unique(y, return_counts=True)[1]
    return counts.min() > 1 and len(counts) <= min(n_valid, len(y) - n_valid)


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
