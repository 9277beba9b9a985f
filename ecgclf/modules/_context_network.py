"""Network for beats in the context of their recording."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ecgclf.modules._basic_layers import Dropout
from ecgclf.modules._beat_network import BeatNetwork, DenseHead, Encoder

#: Number of rhythm features of each beat.
N_RHYTHM = 6

#: Largest absolute logarithm of an RR interval relative to the median of the recording.
_LARGEST_LOG = 2.5


class ContextNetwork(BeatNetwork):
    """Network that classifies each beat of a stretch by its shape and the beats around it.

    The encoder sees `n_channels` signals: a beat and the reference beats of its recording. Its
    output, reduced to `width` values, and features of the RR intervals form the code of the beat.
    A bidirectional GRU (Cho et al., EMNLP 2014, arXiv:1406.1078) runs over the codes of the
    stretch, and a dense head classifies its output together with the code.
    """

    def __init__(
        self,
        encoder: Encoder,
        n_outputs: int,
        n_channels: int,
        n_samples: int,
        n_tabular: int = 0,
        *,
        width: int = 64,
        units: int = 64,
        dropout: float = 0.3,
        dense: Sequence[int] = (),
        dense_dropout: Sequence[float] = (),
    ) -> None:
        size = width + width // 2
        head = DenseHead(2 * units + size, n_outputs, dense, dense_dropout)
        super().__init__(encoder, head, n_channels, n_samples, n_tabular)
        self.reduce = nn.Sequential(
            Dropout(dropout), nn.Linear(encoder.out_features, width), nn.ReLU()
        )
        self.rhythm = nn.Sequential(nn.Linear(N_RHYTHM + n_tabular, width // 2), nn.ReLU())
        self.recurrent = nn.GRU(size, units, batch_first=True, bidirectional=True)
        self.dropout = Dropout(dropout)

    def _encoded(self, x: Tensor) -> Tensor:
        """Encode stretches ([n_stretches,] n_beats, n_columns) of consecutive beats.

        The columns are the samples of the beat and of each reference, the RR interval before the
        beat and the one after it, and the per-beat features. The result has the shape
        (n_stretches * n_beats, n_features).
        """
        if x.ndim == 2:
            x = x.unsqueeze(0)
        end = self.n_leads * self.n_samples
        signals = x[..., :end].reshape(-1, self.n_leads, self.n_samples)
        shape = self.reduce(self.encoder(signals)).unflatten(0, x.shape[:2])
        rhythm = rhythm_of_stretches(x[..., end], x[..., end + 1])
        codes = torch.cat([shape, self.rhythm(torch.cat([rhythm, x[..., end + 2 :]], 2))], 2)
        context, _ = self.recurrent(codes)
        return self.dropout(torch.cat([context, codes], 2)).flatten(0, 1)


def rhythm_of_stretches(before: Tensor, after: Tensor) -> Tensor:
    """Compute rhythm features from the RR intervals before and after each beat of stretches.

    They are the logarithms of the two intervals, relative to the median and to the 0.9 quantile
    of the stretch; the change from one to the other; and the mean absolute change in the
    stretch. None depends on the heart rate.
    """
    tiny = torch.finfo(before.dtype).tiny
    intervals = torch.cat([before, after[:, -1:]], 1).clamp(min=tiny).log()
    intervals = intervals.clamp(-_LARGEST_LOG, _LARGEST_LOG)
    levels = torch.tensor([0.5, 0.9], dtype=before.dtype, device=before.device)
    median, high = torch.quantile(intervals, levels, dim=1).unsqueeze(2)
    before, after = intervals[:, :-1], intervals[:, 1:]
    change = after - before
    irregularity = change.abs().mean(1, keepdim=True).expand_as(change)
    return torch.stack(
        [before - median, after - median, before - high, after - high, change, irregularity], 2
    )
