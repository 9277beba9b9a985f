"""Autoencoders: from a beat to a few numbers, its code, and back."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ecgclf.modules._network import Encoder


class Standardize(nn.Module):
    """Subtract the mean beat and divide by one number, the spread around it.

    It changes nothing until it is told both. As there is one divisor only, what is large in a
    beat stays large, and errors in the new unit are proportional to those in the old one.

    Parameters
    ----------
    n_leads, n_samples : int
        Shape of one beat.

    Examples
    --------
    >>> layer = Standardize(n_leads=1, n_samples=2)
    >>> layer.set(torch.tensor([[1.0, 3.0]]), 2.0)
    >>> layer(torch.tensor([[[5.0, 3.0]]]))
    tensor([[[2., 0.]]])
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, n_leads: int, n_samples: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(n_leads, n_samples))
        self.register_buffer("scale", torch.ones(()))

    def set(self, mean: Tensor, scale: float) -> None:
        """Take the mean beat, of shape (n_leads, n_samples), and the divisor."""
        self.mean.copy_(mean)
        self.scale.fill_(scale)

    def forward(self, x: Tensor) -> Tensor:
        """Standardize beats of shape (batch, n_leads, n_samples)."""
        return (x - self.mean) / self.scale

    def inverse(self, x: Tensor) -> Tensor:
        """Undo it."""
        return x * self.scale + self.mean


class StandardizedEncoder(Encoder):
    """Standardize beats, then encode them.

    Parameters
    ----------
    standardize : Standardize
    encoder : Module
        Takes (batch, n_leads, n_samples), gives (batch, out_features).
    out_features : int

    Examples
    --------
    >>> encoder = StandardizedEncoder(Standardize(2, 30), nn.Flatten(), out_features=60)
    >>> encoder(torch.zeros(4, 2, 30)).shape
    torch.Size([4, 60])
    """

    def __init__(self, standardize: Standardize, encoder: nn.Module, out_features: int) -> None:
        super().__init__()
        self.standardize = standardize
        self.encoder = encoder
        self.out_features = out_features

    def forward(self, x: Tensor) -> Tensor:
        """Encode beats of shape (batch, n_leads, n_samples) to (batch, out_features)."""
        return self.encoder(self.standardize(x))


class Autoencoder(nn.Module):
    """Encode a beat, squeeze it into a code, and decode that.

    Parameters
    ----------
    encoder : Module
        Takes standardized beats of shape (batch, n_leads, n_samples).
    out_features : int
        Width of what it gives.
    decoder : Module
        Takes codes, gives standardized beats.
    n_codes : int
        Width of a code, which is a linear function of the encoder's output.
    n_leads, n_samples : int
        Shape of one beat.
    n_tabular : int, default=0
        Number of per-beat features that follow the signal in a row of the input. They enter
        the code beside the encoder's output, and are reconstructed by a linear layer.

    Attributes
    ----------
    encoder : StandardizedEncoder
        The signal part, up to the code.

    Examples
    --------
    >>> decoder = nn.Sequential(nn.Linear(8, 60), nn.Unflatten(1, (2, 30)))
    >>> network = Autoencoder(nn.Flatten(), 60, decoder, 8, 2, 30)
    >>> network.encode(torch.zeros(4, 60)).shape, network(torch.zeros(4, 60)).shape
    (torch.Size([4, 8]), torch.Size([4, 60]))
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
        """The layer that knows the mean beat and the spread around it."""
        return self.encoder.standardize

    def encode(self, x: Tensor) -> Tensor:
        """Compute the codes, of shape (batch, n_codes), of rows as in `forward`."""
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
        """Reconstruct rows.

        Parameters
        ----------
        x : Tensor of shape (batch, n_leads * n_samples + n_tabular)
            The leads of a beat one after another, then its features.

        Returns
        -------
        Tensor of the same shape
        """
        return self.decode(self.encode(x))
