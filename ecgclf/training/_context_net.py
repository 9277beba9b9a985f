"""Stretches of consecutive beats: batches, and the net that is trained on them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from ecgclf.augmentation import Stretches
from ecgclf.training._net import BeatNet
from ecgclf.training._rows import Batches, Rows

#: From stretches and a generator to changed stretches.
StretchFunction: TypeAlias = Callable[[Stretches, torch.Generator], Stretches]

#: Number of reference beats of a record.
N_REFERENCES = 2

#: Largest number of beats, evenly spaced in the record, from which a reference is computed.
_MOST_BEATS = 4096

#: The second reference is the median beat after intervals above this quantile.
_LONG = 0.85

#: Number of beats in a prediction batch.
_PREDICTION_BEATS = 3072


class Records:
    """Records of a dataset, with their beats in order of time.

    Without records, every beat is a record.
    """

    def __init__(self, rows: Rows) -> None:
        n_beats = len(rows)
        record = np.arange(n_beats) if rows.record is None else rows.record
        position = np.zeros(n_beats) if rows.position is None else rows.position
        #: The rows in order of record and time.
        self.order = np.lexsort((position, record))
        begins = np.diff(record[self.order], prepend=-1) != 0
        #: Position in `order` of the first beat of each record, and the number of its beats.
        self.starts = np.flatnonzero(begins)
        self.lengths = np.diff(self.starts, append=n_beats)
        intervals = np.diff(position[self.order], prepend=0.0)
        for start, length in zip(self.starts, self.lengths):
            inside = intervals[start + 1 : start + length]
            inside /= (np.median(inside) if length > 1 else 1.0) or 1.0
        intervals[begins] = 1.0
        #: Number of the record of each row.
        self.number = np.empty(n_beats, dtype=np.int64)
        #: RR interval before and after the beat of each row, relative to the median of the
        #: record; 1 where the record begins or ends.
        self.before, self.after = np.empty((2, n_beats), dtype=np.float32)
        self.number[self.order] = np.cumsum(begins) - 1
        self.before[self.order] = intervals
        self.after[self.order] = np.append(intervals[1:], 1.0)

    def references(self, rows: Rows, n_leads: int, n_samples: int) -> np.ndarray:
        """Compute the median beat of each record, and the one after long RR intervals.

        The result has the shape (n_records, n_leads, 2, n_samples).
        """
        shape = (len(self.starts), n_leads, N_REFERENCES, n_samples)
        references = np.empty(shape, dtype=np.float32)
        for i, (start, length) in enumerate(zip(self.starts, self.lengths)):
            spaced = np.linspace(0, length - 1, min(length, _MOST_BEATS)).round().astype(int)
            index = self.order[start + spaced]
            beats = rows.view[index][:, : n_leads * n_samples].reshape(-1, n_leads, n_samples)
            if length > 1:
                beats = beats - np.median(beats, axis=2, keepdims=True)
            before = self.before[index]
            references[i, :, 0] = np.median(beats, axis=0)
            references[i, :, 1] = np.median(beats[before >= np.quantile(before, _LONG)], axis=0)
        return references


class StretchBatches(Batches):
    """Batches of stretches of consecutive beats of one record and one lead.

    In training, as many stretches are drawn as cover all beats once: as many of each record, give
    or take one, at a random position and of a random lead. In prediction, the stretches of a
    record overlap by half, for each lead. All stretches of a batch have the same number of beats:
    `context`, or fewer if a record is shorter.

    A batch has the columns that `ecgclf.modules.ContextNetwork` takes, the shape (n_stretches,
    n_beats, n_columns), and flat labels and weights. `batch_size` counts beats.
    """

    def __init__(
        self,
        rows: Rows,
        batch_size: int,
        device: torch.device,
        *,
        n_leads: int,
        n_samples: int,
        context: int,
        classes: np.ndarray,
        augment_stretches: StretchFunction | None = None,
        **options: Any,
    ) -> None:
        self.records = Records(rows)
        longest = min(context, int(self.records.lengths.max()))
        super().__init__(rows, max(1, batch_size // longest), device, **options)
        self.n_items = int(np.ceil(self.records.lengths / context).sum())
        self.n_leads = n_leads
        self.n_samples = n_samples
        self.context = context
        self.augment_stretches = augment_stretches
        self.classes = classes
        #: Rows of each batch in prediction.
        self.places = [] if self.shuffle else self._cover()

    def __len__(self) -> int:
        return len(self.places) or super().__len__()

    def sizes(self) -> list[int]:
        """Count the stretches of each training batch, or the beats of each prediction batch."""
        return [place.size for place in self.places] or super().sizes()

    def _draw(self, rng: torch.Generator) -> Iterator[np.ndarray]:
        if self.places:
            yield from self.places
            return
        starts, lengths = self.records.starts, self.records.lengths
        n_rounds = -(-self.n_items // len(starts))
        rounds = [torch.randperm(len(starts), generator=rng) for _ in range(n_rounds)]
        drawn = torch.cat(rounds)[: self.n_items].numpy()
        # Stretches of similar length together: those of a batch are cut to the shortest.
        drawn = drawn[np.argsort(lengths[drawn].clip(max=self.context), kind="stable")]
        batches = np.array_split(drawn, len(self))
        for i in torch.randperm(len(batches), generator=rng).tolist():
            longer = lengths[batches[i]]
            n_beats = min(self.context, int(longer.min()))
            share = torch.rand(len(longer), generator=rng, dtype=torch.float64).numpy()
            first = starts[batches[i]] + (share * (longer - n_beats + 1)).astype(int)
            yield self.records.order[first[:, np.newaxis] + np.arange(n_beats)]

    def _cover(self) -> list[np.ndarray]:
        """Cover each record by stretches that overlap by half, and group them by length."""
        size = self.records.lengths.clip(max=self.context)
        hop = max(1, self.context // 2)
        n_parts = 1 + -(-(self.records.lengths - size) // hop)
        part = np.arange(n_parts.sum()) - np.repeat(np.cumsum(n_parts) - n_parts, n_parts)
        starts, lengths, size = (
            np.repeat(array, n_parts)
            for array in (self.records.starts, self.records.lengths, size)
        )
        first = starts + np.minimum(part * hop, lengths - size)  # the last one ends the record
        places = []
        for n_beats in np.unique(size):
            alike = first[size == n_beats]
            for some in np.array_split(alike, -(-len(alike) // self.batch_size)):
                index = self.records.order[some[:, np.newaxis] + np.arange(n_beats)]
                places.append(np.repeat(index, self.n_leads, axis=0))
        return places

    def _arrange(
        self,
        index: np.ndarray,
        x: Tensor,
        y: Tensor,
        weight: Tensor,
        generator: torch.Generator,
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Convert rows to stretches of one lead, and change these by the augmentation."""
        number = torch.arange(len(index), device=self.device)
        lead = number % self.n_leads
        if self.shuffle:
            lead = torch.randint(
                self.n_leads, number.shape, generator=generator, device=self.device
            )
        x, labels = x.unflatten(0, index.shape), y.unflatten(0, index.shape)
        width = self.n_leads * self.n_samples
        leads = x[..., :width].unflatten(2, (self.n_leads, self.n_samples))
        signals = leads[number, :, lead]
        if self.rows.record is None:
            references = signals.expand(-1, N_REFERENCES, -1)
        else:
            record = torch.from_numpy(self.records.number[index[:, 0]]).to(self.device)
            references = self._references[record, lead]
            # A beat alone keeps its offset, as without records.
            several = torch.from_numpy(self.records.lengths > 1).to(self.device)[record]
            offset = signals.median(dim=2, keepdim=True).values
            signals = torch.where(several[:, None, None], signals - offset, signals)
        height = references[:, :1].amax(2, keepdim=True) - references[:, :1].amin(2, keepdim=True)
        height = torch.where(height > 0, height, 1.0)
        before, after = self.records.before[index], self.records.after[index[:, -1:]]
        stretches = Stretches(
            signals=signals / height,
            references=references / height,
            intervals=torch.from_numpy(np.hstack([before, after])).to(self.device),
            labels=labels,
            classes=self.classes,
        )
        if self.augment_stretches is not None:
            stretches = self.augment_stretches(stretches, generator)
            factor = self._class_weights[stretches.labels] / self._class_weights[labels]
            weight = weight * factor.flatten()
        references = stretches.references.flatten(1).unsqueeze(1).expand(-1, index.shape[1], -1)
        intervals = stretches.intervals.unfold(1, 2, 1)  # before and after each beat
        parts = [stretches.signals, references, intervals, x[..., width:]]
        return {"x": torch.cat(parts, 2), "weight": weight}, stretches.labels.flatten(0, 1)

    @cached_property
    def _references(self) -> Tensor:
        references = self.records.references(self.rows, self.n_leads, self.n_samples)
        return torch.from_numpy(references).to(self.device)

    @cached_property
    def _class_weights(self) -> Tensor:
        """Mean weight of the beats of each class; 1 for a class without beats."""
        y, weight = (a[self.rows.weight > 0] for a in (self.rows.y, self.rows.weight))
        counts, totals = (np.bincount(y, w, len(self.classes)) for w in (None, weight))
        means = np.divide(totals, counts, out=np.ones(len(counts)), where=counts > 0)
        return torch.from_numpy(means.astype(np.float32)).to(self.device)


class ContextNet(BeatNet):
    """Net that is trained on stretches of consecutive beats.

    The estimator sets the attributes that `StretchBatches` takes as parameters.
    """

    n_leads: int
    n_samples: int
    context: int
    augment_stretches: StretchFunction | None
    classes: np.ndarray

    def get_iterator(self, dataset: Rows, training: bool = False) -> StretchBatches:
        """Divide a dataset into stretches; shuffle and augment them for training."""
        return StretchBatches(
            dataset,
            self.batch_size if training else max(self.batch_size, _PREDICTION_BEATS),
            torch.device(self.device),
            n_leads=self.n_leads,
            n_samples=self.n_samples,
            context=self.context,
            augment_stretches=self.augment_stretches if training else None,
            classes=self.classes,
            shuffle=training,
            augment=self.augment if training else None,
        )

    def _all_outputs(self, rows: Rows, part: Callable[[Tensor], Tensor] | None) -> Tensor:
        """Average the outputs of overlapping stretches, with triangular weights, and leads."""
        total = torch.zeros(len(rows), 1)
        batches = self.get_iterator(rows)
        for place, (x, _) in zip(batches.places, batches):
            n_stretches, n_beats = place.shape
            rise = torch.arange(1.0, n_beats + 1)
            weight = torch.minimum(rise, rise.flip(0)).repeat(n_stretches)[:, None]
            outputs = self.infer(x, part).float().cpu()
            weighted = torch.cat([weight, weight * outputs], 1)
            if total.shape[1] == 1:
                total = torch.zeros(len(rows), weighted.shape[1])
            total.index_add_(0, torch.from_numpy(place.ravel()), weighted)
        return total[:, 1:] / total[:, :1]
