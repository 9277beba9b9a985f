"""Networks that see the frequencies of a beat."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ecgclf.modules._image import channels_last, pool_globally
from ecgclf.modules._inference import ImageLayers
from ecgclf.modules._network import Encoder


class FourierEncoder(Encoder):
    """Another encoder on the Fourier transform of the beat.

    Parameters
    ----------
    encoder : Encoder
        Made for ``2 * n_leads`` leads of ``n_samples // 2 + 1`` samples: the real parts of all
        leads, then their imaginary parts.

    Examples
    --------
    >>> from ecgclf.modules import ConvEncoder
    >>> encoder = FourierEncoder(ConvEncoder(n_leads=2, n_samples=94, filters=(8,)))
    >>> encoder(torch.zeros(3, 1, 187)).shape
    torch.Size([3, 16])
    """

    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.out_features = encoder.out_features

    def forward(self, x: Tensor) -> Tensor:
        """Encode beats of shape (batch, n_leads, n_samples) to (batch, out_features)."""
        spectrum = torch.fft.rfft(x, dim=2)
        return self.encoder(torch.cat([spectrum.real, spectrum.imag], dim=1))


class SpectrogramEncoder(Encoder):
    """Two-dimensional convolutions on spectrograms, then a global pooling.

    Parameters
    ----------
    filters : sequence of int
        Filters of each convolution. Batch norm, ReLU and max pooling of 2 by 2 follow; where a
        side is not even, the pooling takes what is left.
    kernel_size : int, default=3
        Height and width of the kernels. All are padded.

    Examples
    --------
    >>> SpectrogramEncoder((8, 16))(torch.zeros(4, 33, 20)).shape
    torch.Size([4, 32])
    """

    def __init__(self, filters: Sequence[int], kernel_size: int = 3) -> None:
        super().__init__()
        before = (kernel_size - 1) // 2
        layers: list[nn.Module] = []
        channels = 1
        for n_filters in filters:
            if kernel_size % 2 == 0:  # a convolution itself can only pad both sides alike
                layers.append(nn.ZeroPad2d((0, 1, 0, 1)))
            layers += [
                nn.Conv2d(channels, n_filters, kernel_size, padding=before, bias=False),
                nn.BatchNorm2d(n_filters),
                nn.ReLU(inplace=True),
                nn.MaxPool2d(2, ceil_mode=True),
            ]
            channels = n_filters
        self.layers = ImageLayers(*layers)
        channels_last(self.layers)
        self.out_features = 2 * channels

    def forward(self, x: Tensor) -> Tensor:
        """Encode spectrograms (batch, n_freqs, n_frames) to (batch, out_features)."""
        x = self.layers(x.unsqueeze(1).contiguous(memory_format=torch.channels_last))
        return pool_globally(x, "avg_max")
