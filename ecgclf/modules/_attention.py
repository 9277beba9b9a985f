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
    """Transformer block: self-attention and dense layers, each with layer norm and shortcut."""

    def __init__(self, width: int, n_heads: int, dense: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.n_heads = n_heads
        # The norms come first because this trains more stably: Xiong et al., ICML 2020.
        self.attention_norm = nn.LayerNorm(width)
        # A bias of the keys would have no effect.
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
    """Transformer encoder with patches of the beat as tokens; the last patch is padded."""

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
        x = pad(x, (0, self.n_patches * self.patch_size - x.shape[2]))
        patches = x.unflatten(2, (self.n_patches, self.patch_size)).transpose(1, 2).flatten(2)
        tokens = self.embed(patches) + self.positions
        if self.token is not None:
            tokens = torch.cat([self.token.expand(x.shape[0], -1, -1), tokens], dim=1)
        tokens = self.norm(self.blocks(tokens))
        return tokens.mean(dim=1) if self.token is None else tokens[:, 0]
