"""Autoencoders, and the decoders that they need."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from ecgclf.modules._basic_layers import channels_last, convolution
from ecgclf.modules._beat_network import Encoder
from ecgclf.modules._convolutional import ConvEncoder, ConvLayer
from ecgclf.modules._recurrent import RecurrentEncoder


class Standardize(nn.Module):
    """Layer that subtracts a mean beat and divides by a scalar; the identity until `set`.

    The divisor is a scalar so that the samples of a beat keep their relative size.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, n_leads: int, n_samples: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_leads, n_samples))
        self.register_buffer("scale", torch.ones(()))

    def set(self, mean: Tensor, scale: float) -> None:
        """Set the mean beat, of shape (n_leads, n_samples), and the divisor."""
        self.mean.copy_(mean)
        self.scale.fill_(scale)

    def forward(self, x: Tensor) -> Tensor:
        """Standardize beats of shape (batch, n_leads, n_samples)."""
        return (x - self.mean) / self.scale

    def inverse(self, x: Tensor) -> Tensor:
        """Undo the standardization."""
        return x * self.scale + self.mean


class StandardizedEncoder(Encoder):
    """Encoder that standardizes its input."""

    def __init__(self, standardize: Standardize, encoder: nn.Module, out_features: int) -> None:
        super().__init__()
        self.standardize = standardize
        self.encoder = encoder
        self.out_features = out_features

    def forward(self, x: Tensor) -> Tensor:
        return self.encoder(self.standardize(x))


class Autoencoder(nn.Module):
    """Autoencoder of beats: encoder, linear code, decoder.

    `encoder` and `decoder` take and return standardized beats of shape (batch, n_leads,
    n_samples). The code also depends on the per-beat features, and a linear layer reconstructs
    them.
    """

    def __init__(
        self,
        encoder: nn.Module,
        out_features: int,
        decoder: nn.Module,
        n_codes: int,
        n_leads: int,
        n_samples: int,
        n_tabular: int = 0,
    ) -> None:
        super().__init__()
        self.n_codes = n_codes
        self.n_leads = n_leads
        self.n_samples = n_samples
        self.encoder = StandardizedEncoder(Standardize(n_leads, n_samples), encoder, out_features)
        self.code = nn.Linear(out_features + n_tabular, n_codes)
        self.decoder = decoder
        self.tabular = nn.Linear(n_codes, n_tabular) if n_tabular else None

    @property
    def standardize(self) -> Standardize:
        """Standardization of the input."""
        return self.encoder.standardize

    def encode(self, x: Tensor) -> Tensor:
        """Compute codes of shape (batch, n_codes) from rows as in `forward`."""
        width = self.n_leads * self.n_samples
        features = self.encoder(x[:, :width].reshape(-1, self.n_leads, self.n_samples))
        if self.tabular is not None:
            features = torch.cat([features, x[:, width:]], dim=1)
        return self.code(features)

    def decode(self, codes: Tensor) -> Tensor:
        """Reconstruct rows from codes of shape (batch, n_codes)."""
        rows = self.standardize.inverse(self.decoder(codes)).flatten(1)
        return rows if self.tabular is None else torch.cat([rows, self.tabular(codes)], dim=1)

    def forward(self, x: Tensor) -> Tensor:
        """Reconstruct rows of shape (batch, n_leads * n_samples + n_tabular)."""
        return self.decode(self.encode(x))


class ConvDecoder(nn.Module):
    """Decoder that mirrors strided convolutions.

    Each sample is repeated `stride` times before a convolution. Transposed convolutions would
    produce a regular pattern: Odena, Dumoulin and Olah, "Deconvolution and checkerboard
    artifacts", Distill 2016.
    """

    def __init__(
        self,
        n_codes: int,
        n_leads: int,
        n_samples: int,
        filters: Sequence[int],
        kernel_size: int,
        stride: int,
    ) -> None:
        super().__init__()
        lengths = [n_samples]
        for _ in filters:
            lengths.append(math.ceil(lengths[-1] / stride))
        self.start = nn.Linear(n_codes, filters[-1] * lengths[-1])
        self.first_shape = (filters[-1], 1, lengths[-1])
        self.layers = nn.ModuleList(
            nn.Sequential(*convolution(before, after, kernel_size))
            for before, after in pairwise([*reversed(filters), n_leads])
        )
        self.lengths = lengths[-2::-1]
        self.stride = stride
        channels_last(self.layers)

    def forward(self, codes: Tensor) -> Tensor:
        """Decode (batch, n_codes) to (batch, n_leads, n_samples)."""
        x = self.start(codes).unflatten(1, self.first_shape)
        x = x.contiguous(memory_format=torch.channels_last)
        for layer, length in zip(self.layers, self.lengths):
            stretched = F.interpolate(F.relu(x), scale_factor=(1, self.stride))
            x = layer(stretched[..., :length])
        return x.squeeze(2)


class RecurrentDecoder(nn.Module):
    """Decoder with LSTM layers; the input at each step is the code plus a learned vector.

    After Srivastava, Mansimov and Salakhutdinov, "Unsupervised learning of video
    representations using LSTMs", ICML 2015 (arXiv:1502.04681), where the code is the whole
    state of the encoder and no vectors are added.
    """

    def __init__(
        self, n_codes: int, n_leads: int, n_samples: int, units: Sequence[int], step_size: int
    ) -> None:
        super().__init__()
        widths = [n_codes, *reversed(units)]
        self.position = nn.Parameter(torch.randn(math.ceil(n_samples / step_size), n_codes))
        self.layers = nn.ModuleList(
            nn.LSTM(before, after, batch_first=True) for before, after in pairwise(widths)
        )
        self.write = nn.Linear(widths[-1], n_leads * step_size)
        self.n_samples = n_samples
        self.step_shape = (n_leads, step_size)

    def forward(self, codes: Tensor) -> Tensor:
        """Decode (batch, n_codes) to (batch, n_leads, n_samples)."""
        steps = codes.unsqueeze(1) + self.position
        for layer in self.layers:
            steps, _ = layer(steps)
        written = self.write(steps).unflatten(2, self.step_shape)
        return written.transpose(1, 2).flatten(2)[..., : self.n_samples]


def make_autoencoder(
    kind: Literal["dense", "conv", "recurrent"],
    n_codes: int,
    n_leads: int,
    n_samples: int,
    n_tabular: int = 0,
    *,
    dense: Sequence[int] = (),
    filters: Sequence[int] = (),
    kernel_size: int = 5,
    stride: int = 2,
    units: Sequence[int] = (),
    step_size: int = 8,
) -> Autoencoder:
    """Build an autoencoder whose decoder mirrors the encoder; see `ecgclf.ECGAutoencoder`."""
    shape = (n_leads, n_samples)
    encoder: nn.Module
    decoder: nn.Module
    if kind == "dense":
        # Without hidden layers the network is linear, and its optimum spans the first principal
        # components: Baldi and Hornik, Neural Networks 2, 1989.
        widths, mirrored = [n_leads * n_samples, *dense], [n_codes, *reversed(dense)]
        out_features = widths[-1]
        encoder = nn.Sequential(nn.Flatten(), *_rectified(widths))
        layers = nn.Sequential(*_rectified(mirrored), nn.Linear(mirrored[-1], widths[0]))
        decoder = nn.Sequential(OrderedDict(layers=layers, beat=nn.Unflatten(1, shape)))
    elif kind == "conv":
        convolutions = [ConvLayer(n, kernel_size, stride) for n in filters]
        encoder = ConvEncoder(*shape, convolutions, batch_norm=False, global_pool=None)
        out_features = encoder.out_features
        decoder = ConvDecoder(n_codes, *shape, filters, kernel_size, stride)
    else:
        encoder = RecurrentEncoder(*shape, units, step_size=step_size, mask_zeros=False)
        out_features = encoder.out_features
        decoder = RecurrentDecoder(n_codes, *shape, units, step_size)
    return Autoencoder(encoder, out_features, decoder, n_codes, *shape, n_tabular)


def _rectified(widths: Sequence[int]) -> list[nn.Module]:
    """Build linear layers between consecutive widths, each followed by a ReLU."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.ReLU()]
    return layers
