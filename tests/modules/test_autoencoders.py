"""Autoencoders, compared with numpy and with single steps of torch."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from ecgclf.modules._autoencoders import (
    Autoencoder,
    ConvDecoder,
    RecurrentDecoder,
    Standardize,
    make_autoencoder,
)

MAKE = {
    "linear": partial(make_autoencoder, "dense", dense=()),
    "dense": partial(make_autoencoder, "dense", dense=(12, 6)),
    "conv": partial(make_autoencoder, "conv", filters=(4, 8), stride=3),
    "recurrent": partial(make_autoencoder, "recurrent", units=(6, 5), step_size=7),
}
every_kind = pytest.mark.parametrize("kind", MAKE)


@every_kind
@settings(max_examples=15, deadline=None)
@given(
    n_leads=st.integers(1, 12), n_samples=st.integers(1, 60), n_tabular=st.integers(0, 3),
    n_codes=st.integers(1, 20),
)  # fmt: skip
def test_shapes(kind, n_leads, n_samples, n_tabular, n_codes):
    network = MAKE[kind](n_codes, n_leads, n_samples, n_tabular)
    x = torch.randn(3, n_leads * n_samples + n_tabular)
    codes = network.encode(x)
    assert codes.shape == (3, n_codes)
    assert network.decode(codes).shape == x.shape
    torch.testing.assert_close(network(x), network.decode(codes))
    signals = x[:, : n_leads * n_samples].reshape(3, n_leads, n_samples)
    assert network.encoder(signals).shape == (3, network.encoder.out_features)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        # 2 leads of 40 samples, codes of 5
        ("linear", (80 + 1) * 5 + (5 + 1) * 80),
        ("dense", (81 * 12 + 13 * 6 + 7 * 5) + (6 * 6 + 7 * 12 + 13 * 80)),
        # 40, 14 and 5 samples of 2, 4 and 8 channels; kernels of 5
        ("conv", (2 * 5 + 1) * 4 + (4 * 5 + 1) * 8 + (8 * 5 + 1) * 5
         + 6 * 40 + (8 * 5 + 1) * 4 + (4 * 5 + 1) * 2),
        # 6 steps of 14 values; an LSTM has 4 gates and two biases
        ("recurrent", 4 * 6 * (14 + 6 + 2) + 4 * 5 * (6 + 5 + 2) + 6 * 5
         + 6 * 5 + 4 * 5 * (5 + 5 + 2) + 4 * 6 * (5 + 6 + 2) + 7 * 14),
    ],
)  # fmt: skip
def test_parameter_counts(kind, expected):
    assert sum(p.numel() for p in MAKE[kind](5, 2, 40).parameters()) == expected


def test_linear_autoencoder_equals_matrix_products():
    network = MAKE["linear"](3, 2, 10).double()
    mean, x = torch.randn(2, 10).double(), torch.randn(4, 20).double()
    network.standardize.set(mean, 2.5)
    parts = [network.code.weight, network.code.bias]
    parts += list(network.decoder.parameters())
    W, b, V, c = (p.detach().numpy() for p in parts)
    flat = mean.numpy().ravel()
    codes = (x.numpy() - flat) / 2.5 @ W.T + b
    np.testing.assert_allclose(network.encode(x).detach().numpy(), codes)
    expected = (codes @ V.T + c) * 2.5 + flat
    np.testing.assert_allclose(network(x).detach().numpy(), expected)


def test_tabular_features_are_encoded_and_reconstructed():
    network = MAKE["dense"](4, 1, 10, 2)
    x = torch.randn(3, 12, requires_grad=True)
    codes = network.encode(x)
    codes.sum().backward()
    assert (x.grad != 0).all()
    torch.testing.assert_close(network.decode(codes)[:, 10:], network.tabular(codes))


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-3, 1e3), offset=st.floats(-100, 100))
def test_standardize_and_inverse(scale, offset):
    layer = Standardize(2, 5).double()
    rng = np.random.default_rng(0)
    mean, x = rng.normal(offset, 1, (2, 5)), rng.normal(offset, scale, (4, 2, 5))
    layer.set(torch.from_numpy(mean), scale)
    z = layer(torch.from_numpy(x))
    # Single precision of the scale limits the accuracy.
    np.testing.assert_allclose(z.numpy(), (x - mean) / float(layer.scale), rtol=1e-7)
    np.testing.assert_allclose(layer.inverse(z).numpy(), x, atol=1e-9)
    assert float(layer.scale) == pytest.approx(scale, rel=1e-6)
    assert not list(layer.parameters())
    assert set(layer.state_dict()) == {"mean", "scale"}


def test_conv_decoder_repeats_samples_and_convolves():
    decoder = ConvDecoder(3, n_leads=2, n_samples=11, filters=(4,), kernel_size=3, stride=2)
    codes = torch.randn(5, 3)
    start = torch.relu(decoder.start(codes)).detach().numpy().reshape(5, 4, 6)
    stretched = np.pad(start.repeat(2, axis=2)[:, :, :11], [(0, 0), (0, 0), (1, 1)])
    kernel, bias = (p.detach().numpy() for p in decoder.layers[0].parameters())
    windows = np.lib.stride_tricks.sliding_window_view(stretched, 3, axis=2)
    expected = np.einsum("ncsk,lck->nls", windows, kernel[:, :, 0]) + bias[:, None]
    np.testing.assert_allclose(decoder(codes).detach().numpy(), expected, atol=1e-5)


def test_recurrent_decoder_equals_lstm_cell():
    decoder = RecurrentDecoder(3, n_leads=2, n_samples=10, units=(4,), step_size=4)
    codes = torch.randn(5, 3)
    cell = nn.LSTMCell(3, 4)
    cell.load_state_dict(
        {
            name.removesuffix("_l0"): value
            for name, value in decoder.layers[0].state_dict().items()
        }
    )
    state, written = None, []
    for position in decoder.position:
        state = cell(codes + position, state)
        written.append(decoder.write(state[0]).reshape(5, 2, 4))
    expected = torch.cat(written, dim=2)[:, :, :10]
    torch.testing.assert_close(decoder(codes), expected)


@every_kind
def test_encoder_standardizes_raw_beats(kind):
    """Transfer learning uses the encoder in this way."""
    network = MAKE[kind](4, 2, 30)
    x = torch.randn(3, 2, 30)
    raw = network.encoder(x)
    network.standardize.set(torch.full((2, 30), 7.0), 4.0)
    torch.testing.assert_close(network.encoder(x * 4 + 7), raw, rtol=1e-3, atol=1e-4)


def test_custom_encoder_and_decoder():
    decoder = nn.Sequential(nn.Linear(2, 6), nn.Unflatten(1, (2, 3)))
    network = Autoencoder(nn.Flatten(), 6, decoder, 2, 2, 3)
    assert network(torch.zeros(4, 6)).shape == (4, 6)
