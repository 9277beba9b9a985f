"""The training set, and the batches cut from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from ecgclf.training._random import derive
from ecgclf.training._row_view import RowView

#: From rows and positions to beats, codes and weights of one batch.
Gather = Callable[["Rows", np.ndarray], tuple[Tensor, Tensor, Tensor]]


class Rows(Dataset):
    """Beats as rows of numbers, with class codes and weights.

    Parameters
    ----------
    X : RowView or ndarray of shape (n_beats, n_columns)
    y : ndarray of shape (n_beats,), int64, optional
    weight : ndarray of shape (n_beats,), optional
        All 1 if not given. Kept in double precision, so that weights of any size can be
        brought to a mean of 1.

    Examples
    --------
    >>> X = np.array([[0, 1], [2, 3], [0, 1]], dtype=np.float32)
    >>> rows = Rows(X, y=np.array([0, 1, 0]))
    >>> rows.distinct().weight
    array([2., 1.])
    """

    def __init__(
        self,
        X: RowView | np.ndarray,
        y: np.ndarray | None = None,
        weight: np.ndarray | None = None,
    ) -> None:
        n_beats = len(X)
        self.view = X if isinstance(X, RowView) else RowView(X)
        self.y = np.zeros(n_beats, np.int64) if y is None else np.asarray(y, np.int64)
        self.weight = np.ones(n_beats) if weight is None else np.asarray(weight, np.float64)

    def __len__(self) -> int:
        return len(self.view)

    @property
    def X(self) -> np.ndarray:  # noqa: N802
        """All beats, read into memory."""
        return self.view[:]

    def take(self, rows: np.ndarray) -> Rows:
        """Return some of the rows, by mask or position, without a copy of the beats."""
        return Rows(self.view.take(rows), self.y[rows], self.weight[rows])

    def with_mean_weight_1(self) -> Rows:
        """Return the same rows with weights scaled to a mean of 1."""
        return Rows(self.view, self.y, self.weight / self.weight.mean())

    def distinct(self) -> Rows:
        """Return each different row once, in a fixed order, with the sum of its weights.

        A set that fits in one batch is trained on this form. Repeating a beat and raising
        its weight are then the same thing to the last bit, also where a layer looks at the
        whole batch, as batch norm does.
        """
        labelled = np.column_stack([self.X, self.y])
        _, first, which = np.unique(labelled, axis=0, return_index=True, return_inverse=True)
        weight = np.bincount(which.ravel(), weights=self.weight)
        return Rows(self.view.take(first), self.y[first], weight)


class Batches:
    """Batches of nearly equal size, gathered by index, without a worker or a copy of the set.

    Parameters
    ----------
    rows : Rows
    batch_size : int
        The largest batch. The set is cut into as few batches as that allows, all of the same
        size give or take one, so no batch is a small remainder.
    device : torch.device
        Where the batches go. To a device other than the CPU the whole set is moved once, if
        it takes no more than half of the free memory there, else batch by batch.
    shuffle : bool, default=False
    augment : callable, optional
        Called with a batch of shape (batch, n_columns) and a generator.

    Attributes
    ----------
    seed : int
        Seed of the next pass: the order of the rows and the augmentation follow from it.
    part : tuple of two ints
        Which of how many parts of each batch to give: (0, 1) is the whole. The weights are
        such that the losses of all parts add up to the loss of the batch.

    Examples
    --------
    >>> rows = Rows(np.zeros((10, 187), dtype=np.float32))
    >>> [len(codes) for _, codes in Batches(rows, batch_size=4, device=torch.device("cpu"))]
    [4, 3, 3]
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
        self._gather = _gather_for(rows, device)

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def sizes(self) -> list[int]:
        """Count the rows of each whole batch."""
        size, n_larger = divmod(len(self.rows), len(self))
        return [size + (i < n_larger) for i in range(len(self))]

    def __iter__(self) -> Iterator[tuple[dict[str, Tensor], Tensor]]:
        which, n_parts = self.part
        rng = torch.Generator().manual_seed(self.seed)
        # Not the same noise on every part.
        on_device = torch.Generator(self.device)
        on_device.manual_seed(derive(self.seed, which) if which else self.seed)
        n_beats = len(self.rows)
        order = (
            torch.randperm(n_beats, generator=rng).numpy() if self.shuffle else np.arange(n_beats)
        )
        for whole in np.array_split(order, len(self)):
            index = whole if n_parts == 1 else np.array_split(whole, n_parts)[which]
            x, y, weight = self._gather(self.rows, index)
            if n_parts > 1:
                weight = weight * (len(index) / len(whole))
            if self.augment is not None:
                x = self.augment(x, on_device)
            yield {"x": x, "weight": weight}, y


def _gather_for(rows: Rows, device: torch.device) -> Gather:
    """Choose how batches of these rows come to a device."""
    if device.type == "cpu":
        return _gather_on_cpu
    return _Resident(rows, device) if _has_room(device, rows) else partial(_gather_to, device)


def _has_room(device: torch.device, rows: Rows) -> bool:
    """Tell whether the rows leave the device half of its free memory; only CUDA can say."""
    n_rows, n_columns = rows.view.shape
    return (
        device.type != "cuda" or 4 * n_rows * n_columns <= torch.cuda.mem_get_info(device)[0] / 2
    )


def _gather_on_cpu(rows: Rows, index: np.ndarray) -> tuple[Tensor, Tensor, Tensor]:
    """Gather with numpy: that takes memory maps and read-only arrays as they are."""
    return (
        torch.from_numpy(rows.view[index]),
        torch.from_numpy(rows.y[index]),
        torch.from_numpy(rows.weight[index].astype(np.float32)),
    )


def _gather_to(
    device: torch.device, rows: Rows, index: np.ndarray
) -> tuple[Tensor, Tensor, Tensor]:
    """Gather in memory and move the batch."""
    x, y, weight = (tensor.to(device) for tensor in _gather_on_cpu(rows, index))
    return x, y, weight


class _Resident:
    """Gather from a copy of the set that lives on the device."""

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
