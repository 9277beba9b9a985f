"""Two published networks for recordings of 12 leads, in plain torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

N_LEADS, N_CLASSES = 12, 5


def _norm(n_in: int, n_out: int, size: int, stride: int = 1) -> list[nn.Module]:
    """Build a convolution with batch norm."""
    padding = size // 2
    return [
        nn.Conv1d(n_in, n_out, size, stride, padding=padding, bias=False),
        nn.BatchNorm1d(n_out),
    ]


class _XBlock(nn.Module):
    def __init__(self, n_in: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            *_norm(n_in, 64, 1),
            nn.ReLU(),
            *_norm(64, 64, 5, stride),
            nn.ReLU(),
            *_norm(64, 256, 1),
        )
        mean = [nn.AvgPool1d(stride, ceil_mode=True, count_include_pad=False)] * (stride > 1)
        project = _norm(n_in, 256, 1) if n_in != 256 else []
        self.shortcut = nn.Sequential(*mean, *project)

    def forward(self, x: Tensor) -> Tensor:
        return (self.branch(x) + self.shortcut(x)).relu()


class XResNet1d50(nn.Module):
    """xresnet1d50 of Strodthoff et al. 2021."""

    def __init__(self) -> None:
        super().__init__()
        channels, stem = N_LEADS, list[nn.Module]()
        for filters, stride in ((32, 2), (32, 1), (64, 1)):
            stem += [*_norm(channels, filters, 5, stride), nn.ReLU()]
            channels = filters
        blocks = []
        for stage, n_blocks in enumerate((3, 4, 6, 3)):
            for i in range(n_blocks):
                blocks.append(_XBlock(channels, 2 if i == 0 and stage > 0 else 1))
                channels = 256
        pool = [nn.ConstantPad1d((0, 1), 0.0), nn.MaxPool1d(3, 2, ceil_mode=True)]
        self.layers = nn.Sequential(*stem, *pool, *blocks)
        self.head = nn.Sequential(
            nn.Linear(512, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, N_CLASSES)
        )

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits of recordings of shape (batch, 12, n_samples)."""
        x = self.layers(x)
        return self.head(torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1))


class _Module(nn.Module):
    def __init__(self, n_in: int) -> None:
        super().__init__()
        self.reduce = nn.Conv1d(n_in, 32, 1, bias=False)
        self.branches = nn.ModuleList(
            nn.Conv1d(32, 32, size, padding="same", bias=False) for size in (39, 19, 9)
        )
        self.pooled = nn.Sequential(
            nn.MaxPool1d(3, 1, padding=1), nn.Conv1d(n_in, 32, 1, bias=False)
        )
        self.norm = nn.BatchNorm1d(128)

    def forward(self, x: Tensor) -> Tensor:
        reduced = self.reduce(x)
        parts = [*(branch(reduced) for branch in self.branches), self.pooled(x)]
        return self.norm(torch.cat(parts, dim=1)).relu()


class Inception(nn.Module):
    """InceptionTime network of Ismail Fawaz et al. 2020."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = nn.ModuleList(_Module(n) for n in (N_LEADS, *[128] * 5))
        self.shortcuts = nn.ModuleList(
            nn.Sequential(*_norm(n_in, 128, 1)) for n_in in (N_LEADS, 128)
        )
        self.head = nn.Linear(128, N_CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """Compute the logits of recordings of shape (batch, 12, n_samples)."""
        before = x
        for i, step in enumerate(self.steps):
            x = step(x)
            if i % 3 == 2:
                x = before = (x + self.shortcuts[i // 3](before)).relu()
        return self.head(x.mean(dim=2))
