"""Transformer encoder."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import pad, scaled_dot_product_attention

from ecgclf.modules._basic_layers import Dropout
from ecgclf.modules._beat_network import Encoder


def sinusoidal_positions(n_positions: int, width: int) -> Tensor:
    """Compute the positional encoding of Vaswani et al. 2017, section 3.5, for an even width."""
    rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10_000.0) / width))
    angle = torch.arange(n_positions)[:, None] * rate
    return torch.stack([angle.sin(), angle.cos()], dim=2).flatten(1)


class TransformerBlock(nn.Module):
    """Transformer block: self-attention and two dense layers, each with layer norm and shortcut.

    Parameters
    ----------
    width : int
        Length of a token.
    n_heads : int
        Number of attention heads; `width` must be a multiple of it.
    dense : int
        Width of the hidden dense layer.
    dropout : float, default=0.0
        Dropout rate at the end of both parts.

    Notes
    -----
    Vaswani et al., "Attention is all you need", NeurIPS 2017 (arXiv:1706.03762). The norms come
    first, as in Xiong et al., ICML 2020 (arXiv:2002.04745), because this trains more stably.
    Queries, keys and values have no bias; a bias of the keys would have no effect.
    """

    def __init__(self, width: int, n_heads: int, dense: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_heads = n_heads
        self.attention_norm = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.project = nn.Linear(width, width)
        self.dense_norm = nn.LayerNorm(width)
        self.dense = nn.Sequential(
            nn.Linear(width, dense), nn.GELU(), nn.Linear(dense, width), Dropout(dropout)
        )
        self.dropout = Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Transform tokens of shape (batch, n_tokens, width)."""
        parts = self.query_key_value(self.attention_norm(x))
        # (batch, n_tokens, 3 * width) to three of (batch, n_heads, n_tokens, width / n_heads)
        query, key, value = parts.unflatten(2, (3, self.n_heads, -1)).permute(2, 0, 3, 1, 4)
        attended = scaled_dot_product_attention(query, key, value)
        x = x + self.dropout(self.project(attended.transpose(1, 2).flatten(2)))
        return x + self.dense(self.dense_norm(x))


class TransformerEncoder(Encoder):
    """Transformer encoder with patches of the beat as tokens.

    Parameters
    ----------
    n_leads, n_samples : int
        Shape of one beat.
    patch_size : int
        Number of samples of each lead in a token. The last patch is padded with zeros.
    width : int
        Length of a token.
    n_heads : int
        Number of attention heads; `width` must be a multiple of it.
    n_layers : int
        Number of transformer blocks.
    dense : int
        Width of the hidden dense layer in each block.
    dropout : float, default=0.0
        Dropout rate after the attention and after the dense layers of each block.
    pool : {"mean", "token"}, default="mean"
        Output: the mean of all tokens, or an additional learned class token.

    Notes
    -----
    Each block is that of Vaswani et al., "Attention is all you need", NeurIPS 2017
    (arXiv:1706.03762), with layer norm first as in Xiong et al., ICML 2020 (arXiv:2002.04745).

    Examples
    --------
    >>> import torch
    >>> from ecgclf.modules import TransformerEncoder
    >>> encoder = TransformerEncoder(1, 187, patch_size=8, width=16, n_heads=2, n_layers=1,
    ...                              dense=32)
    >>> encoder(torch.zeros(3, 1, 187)).shape
    torch.Size([3, 16])
    """

    positions: Tensor

    def __init__(
        self,
        n_leads: int,
        n_samples: int,
        *,
        patch_size: int,
        width: int,
        n_heads: int,
        n_layers: int,
        dense: int,
        dropout: float = 0.0,
        pool: Literal["mean", "token"] = "mean",
    ) -> None:
        super().__init__()
        self.patch_size = patch_size
        self.n_patches = -(-n_samples // patch_size)
        self.embed = nn.Linear(n_leads * patch_size, width)
        positions = sinusoidal_positions(self.n_patches, width)
        self.register_buffer("positions", positions, persistent=False)
        self.token = nn.Parameter(0.02 * torch.randn(1, 1, width)) if pool == "token" else None
        self.blocks = nn.Sequential(
            *(TransformerBlock(width, n_heads, dense, dropout) for _ in range(n_layers))
        )
        self.norm = nn.LayerNorm(width)
        self.out_features = width

    def forward(self, x: Tensor) -> Tensor:
        """Encode beats of shape (batch, n_leads, n_samples) to (batch, out_features)."""
        x = pad(x, (0, self.n_patches * self.patch_size - x.shape[2]))
        patches = x.unflatten(2, (self.n_patches, self.patch_size)).transpose(1, 2).flatten(2)
        tokens = self.embed(patches) + self.positions
        if self.token is not None:
            tokens = torch.cat([self.token.expand(x.shape[0], -1, -1), tokens], dim=1)
        tokens = self.norm(self.blocks(tokens))
        return tokens.mean(dim=1) if self.token is None else tokens[:, 0]
