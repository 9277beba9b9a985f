"""Transformer encoder, compared with torch."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from ecgclf.modules._attention import (
    TransformerBlock,
    TransformerEncoder,
    sinusoidal_positions,
)


def test_block_equals_torch():
    ours = TransformerBlock(width=12, n_heads=3, dense=20)
    theirs = nn.TransformerEncoderLayer(
        12, 3, 20, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    )
    with torch.no_grad():
        theirs.self_attn.in_proj_weight.copy_(ours.query_key_value.weight)
        theirs.self_attn.in_proj_bias.zero_()
        theirs.self_attn.out_proj.load_state_dict(ours.project.state_dict())
        theirs.linear1.load_state_dict(ours.dense[0].state_dict())
        theirs.linear2.load_state_dict(ours.dense[2].state_dict())
    tokens = torch.randn(4, 9, 12, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(ours(tokens), theirs(tokens))


def test_positions_by_their_formula():
    positions = sinusoidal_positions(30, 8)
    for place in (0, 7, 29):
        for i in range(4):
            angle = place / 10_000 ** (2 * i / 8)
            assert positions[place, 2 * i].item() == pytest.approx(math.sin(angle), abs=1e-5)
            assert positions[place, 2 * i + 1].item() == pytest.approx(math.cos(angle), abs=1e-5)


@pytest.mark.parametrize("pool", ["mean", "token"])
def test_output_depends_on_the_positions(pool):
    """Without positions the order of the patches has no effect."""
    encoder = TransformerEncoder(
        1, 40, patch_size=8, width=16, n_heads=2, n_layers=1, dense=16, pool=pool
    )
    x = torch.randn(3, 1, 40, generator=torch.Generator().manual_seed(0))
    swapped = torch.cat([x[:, :, 8:16], x[:, :, :8], x[:, :, 16:]], dim=2)
    assert (encoder(x) - encoder(swapped)).abs().max() > 1e-3
    encoder.positions.zero_()
    torch.testing.assert_close(encoder(x), encoder(swapped))


def test_last_patch_is_padded():
    encoder = TransformerEncoder(2, 37, patch_size=8, width=8, n_heads=2, n_layers=1, dense=8)
    x = torch.randn(3, 2, 37, generator=torch.Generator().manual_seed(0))
    assert encoder.n_patches == 5
    torch.testing.assert_close(encoder(x), encoder(nn.functional.pad(x, (0, 3))))
