"""What the networks on frequencies see, against numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecgclf.modules import Encoder, FourierEncoder, SpectrogramEncoder


class Keep(Encoder):
    """Give back what comes in, flat."""

    def __init__(self, out_features: int) -> None:
        super().__init__()
        self.out_features = out_features

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.flatten(1)


@pytest.mark.parametrize("n_samples", [1, 2, 187, 188])
def test_the_transform_is_that_of_numpy(n_samples):
    X = np.random.default_rng(0).normal(size=(4, 2, n_samples)).astype(np.float32)
    seen = FourierEncoder(Keep(4 * (n_samples // 2 + 1)))(torch.from_numpy(X))
    spectrum = np.fft.rfft(X)
    expected = np.concatenate([spectrum.real, spectrum.imag], axis=1).reshape(4, -1)
    np.testing.assert_allclose(seen, expected, atol=1e-4)


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (64, 7)])
def test_spectrograms_of_any_size(shape):
    encoder = SpectrogramEncoder((4, 8, 8, 8)).eval()
    assert encoder(torch.zeros(2, *shape)).shape == (2, 16)
