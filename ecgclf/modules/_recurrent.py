"""Recurrent encoders."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from ecgclf.modules._basic_layers import Dropout
from ecgclf.modules._beat_network import Encoder
from ecgclf.modules._convolutional import ConvEncoder

Cell = Literal["lstm", "gru", "rnn"]
StepPool = Literal["last", "mean", "max", "attention"] | None

_CELLS: dict[str, Callable[..., nn.RNNBase]] = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class RecurrentEncoder(Encoder):
    """Recurrent encoder: stacked recurrent layers and a pooling over the time steps.

    The last step is padded with zeros. With `mask_zeros`, the layers and the pooling ignore the
    steps after the last one with a non-zero sample.
    """

    def __init__(
        self,
        n_leads: int,
        n_samples: int,
        units: Sequence[int],
        *,
        cell: Cell = "lstm",
        bidirectional: bool = False,
        step_size: int = 1,
        mask_zeros: bool = True,
        dropout: Sequence[float] = (),
        step_pool: StepPool = "last",
    ) -> None:
        super().__init__()
        self.step_size = step_size
        self.mask_zeros = mask_zeros
        self.step_pool = step_pool
        self.n_steps = -(-n_samples // step_size)
        # For each layer: the forward direction and, if bidirectional, the backward one.
        self.layers = nn.ModuleList()
        width = n_leads * step_size
        n_directions = 2 if bidirectional else 1
        for size in units:
            directions = [
                _CELLS[cell](width, size, batch_first=True) for _ in range(n_directions)
            ]
            self.layers.append(nn.ModuleList(directions))
            width = size * n_directions
        self.dropouts = nn.ModuleList(Dropout(p) for p in dropout or (0.0,) * len(units))
        self.n_directions = n_directions
        self.attention = (
            nn.Linear(width, 1, bias=False) if step_pool == "attention" else nn.Identity()
        )
        self.out_features = width * self.n_steps if step_pool is None else width

    def forward(self, x: Tensor) -> Tensor:
        n_steps, lengths = self._lengths(x)
        x = nn.functional.pad(x, (0, n_steps * self.step_size - x.shape[2]))
        steps = x.unflatten(2, (n_steps, self.step_size)).transpose(1, 2).flatten(2)
        backwards = _backwards(lengths, n_steps)
        for layer, dropout in zip(self.layers, self.dropouts):
            directions = list(layer.children())
            # Masked steps come last in both directions, so they cannot affect the beat.
            # Packed sequences give the same result but are several times slower here.
            outputs = [directions[0](steps)[0]]
            if len(directions) == 2:
                outputs.append(_reorder(directions[1](_reorder(steps, backwards))[0], backwards))
            steps = dropout(torch.cat(outputs, dim=2))
        return self._pooled(steps, lengths)

    def _lengths(self, x: Tensor) -> tuple[int, Tensor]:
        """Count the steps of the padded batch, and the unmasked steps of each beat."""
        n_steps = -(-x.shape[2] // self.step_size)
        if not self.mask_zeros:
            return n_steps, torch.full((x.shape[0],), n_steps, device=x.device)
        place = torch.arange(1, x.shape[2] + 1, device=x.device)
        n_samples = ((x != 0).any(dim=1) * place).amax(dim=1)
        # A beat of zeros only has one step, because a sequence cannot be empty.
        return n_steps, torch.ceil(n_samples / self.step_size).long().clamp(min=1)

    def _pooled(self, steps: Tensor, lengths: Tensor) -> Tensor:
        """Pool steps (batch, n_steps, width), using the first `lengths` steps of each beat."""
        if self.step_pool == "last":
            # The final state of the backward direction is at the first step.
            first, last = steps[:, 0], steps[torch.arange(steps.shape[0]), lengths - 1]
            size = steps.shape[2] // self.n_directions
            return torch.cat([last[:, :size], first[:, size:]], dim=1)
        beyond = torch.arange(steps.shape[1], device=steps.device) >= lengths[:, None]
        if self.step_pool == "max":
            return steps.masked_fill(beyond[:, :, None], -torch.inf).amax(dim=1)
        if self.step_pool == "attention":
            scores = self.attention(steps).squeeze(2).masked_fill(beyond, -torch.inf)
            return (scores.softmax(dim=1)[:, :, None] * steps).sum(dim=1)
        steps = steps.masked_fill(beyond[:, :, None], 0.0)
        return steps.flatten(1) if self.step_pool is None else steps.sum(dim=1) / lengths[:, None]


def _backwards(lengths: Tensor, n_steps: int) -> Tensor:
    """Compute the order that reverses the steps of each beat but not its masked steps."""
    place = torch.arange(n_steps, device=lengths.device)
    turned = lengths[:, None] - 1 - place
    return torch.where(turned >= 0, turned, place)


def _reorder(steps: Tensor, order: Tensor) -> Tensor:
    """Reorder steps (batch, n_steps, width), with one order per beat."""
    return steps.gather(1, order[:, :, None].expand(-1, -1, steps.shape[2]))


class ConvRecurrentEncoder(Encoder):
    """Convolutional and recurrent encoder.

    `dense` layers are applied to every step separately; they need ``recurrent.step_pool=None``.
    """

    def __init__(
        self,
        convolutions: ConvEncoder,
        recurrent: RecurrentEncoder,
        dense: Sequence[int] = (),
        dense_dropout: Sequence[float] = (),
    ) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.recurrent = recurrent
        n_steps = recurrent.n_steps
        width = recurrent.out_features // n_steps
        layers: list[nn.Module] = []
        for units, p in zip(dense, dense_dropout or (0.0,) * len(dense)):
            layers += [nn.Linear(width, units), nn.ReLU(), Dropout(p)]
            width = units
        self.step_layers = nn.Sequential(*layers)
        self.n_steps = n_steps
        self.out_features = n_steps * width if dense else recurrent.out_features

    def forward(self, x: Tensor) -> Tensor:
        x = self.recurrent(self.convolutions.sequence(x))
        if len(self.step_layers):
            x = self.step_layers(x.unflatten(1, (self.n_steps, -1))).flatten(1)
        return x
