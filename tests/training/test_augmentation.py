"""Augmentations see the signals of a batch, shaped as beats, and nothing else."""

from __future__ import annotations

import torch

from ecgclf.training import OnSignals


def test_features_beside_the_signal_are_left_alone():
    x = torch.arange(2 * 11, dtype=torch.float32).reshape(2, 11)
    seen = []

    def negate(signals, generator):
        seen.append(signals.clone())
        return -signals

    changed = OnSignals(negate, n_leads=3, n_samples=3)(x, torch.Generator())
    assert torch.equal(seen[0][1, 2], torch.tensor([17.0, 18.0, 19.0]))
    assert torch.equal(changed[:, :9], -x[:, :9])
    assert torch.equal(changed[:, 9:], x[:, 9:])
