"""Published networks of the documentation: training and number of parameters."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from benchmarks.models import published

DOCS = Path(__file__).resolve().parents[1] / "docs"

#: Title on the page, name in the code, samples of a beat, number of parameters: published for
#: the first, published but corrected for the pooling error of the second, else computed by hand.
#: A convolution of c to f channels with kernel k has c f k + f, a dense layer m n + n.
NETWORKS = [
    ("Plain deep CNN", "plain_deep_cnn", 187, 254_901),
    ("Vanilla CNN", "vanilla_cnn", 187, 199_477 + 8 * 5 * 32 + 16 * 5 * 64),
    (
        "Small CNN with batch norm",
        "small_cnn",
        187,
        # No bias, but two parameters of the batch norm. 187 is halved three times to 24.
        64 * (5 + 2) + 2 * 64 * (64 * 3 + 2) + 64 * (24 * 64 + 1) + 5 * (64 + 1),
    ),
    (
        "Wide-kernel CNN",
        "wide_kernel_cnn",
        256,
        # 256 samples are pooled to 26.
        32 * (40 + 1) + 32 * (32 * (4 * 40 + 2 * 33 + 3 * 25) + 9)
        + 32 * (26 * 32 + 1) + 5 * (32 + 1),
    ),
    (
        "Residual CNN",
        "residual_cnn",
        187,
        # 187 is halved five times to 6.
        32 * (5 + 1) + 10 * 32 * (32 * 5 + 1) + 32 * (6 * 32 + 1) + 32 * (32 + 1) + 5 * (32 + 1),
    ),
    (
        "Wide-kernel residual CNN",
        "wide_kernel_residual_cnn",
        256,
        32 * (7 + 2) + 2 * 32 * (32 * (40 + 32 + 24 + 12) + 4 * 2) + 5 * (64 + 1),
    ),
    ("Multilayer perceptron", "multilayer_perceptron", 187, 256 * (187 + 1) + 5 * (256 + 1)),
    # A recurrent layer of n units has n (inputs + n + 2), an LSTM four times that, a GRU three.
    (
        "Vanilla RNN",
        "vanilla_rnn",
        187,
        128 * (1 + 128 + 2) + 256 * (128 + 1) + 128 * (256 + 1) + 5 * (128 + 1),
    ),
    (
        "LSTM stack",
        "lstm_stack",
        187,
        4 * (128 * (1 + 128 + 2) + 64 * (128 + 64 + 2)) + 64 * (64 + 1) + 5 * (64 + 1),
    ),
    (
        "GRU stack",
        "gru_stack",
        187,
        3 * (128 * (1 + 128 + 2) + 64 * (128 + 64 + 2)) + 64 * (64 + 1) + 5 * (64 + 1),
    ),
    (
        "Bidirectional LSTM",
        "bidirectional_lstm",
        187,
        2 * 4 * 128 * (1 + 128 + 2) + 256 * (256 + 1) + 128 * (256 + 1) + 5 * (128 + 1),
    ),
    ("Dilated CNN and bidirectional LSTM", "dilated_cnn_lstm", 187, 221_862 + 2 * 4 * 20),
    ("Deep residual network", "deep_residual_network", 187, 2_782_725 - 59_168),
    ("Fourier network", "fourier_network", 187, 254_901 + 5 * 16),
    (
        "Spectrogram network",
        "spectrogram_network",
        187,
        16 * (9 + 2) + 32 * (16 * 9 + 2) + 64 * (32 * 9 + 2) + 5 * (128 + 1),
    ),
    (
        "Transformer",
        "transformer",
        187,
        64 * (8 + 1)
        + 3 * (2 * 128 + 3 * 64 * 64 + 64 * (64 + 1) + 128 * (64 + 1) + 64 * (128 + 1))
        + 128 + 5 * (64 + 1),
    ),
]  # fmt: skip

#: Sections without a single network of fixed size.
OTHERS = ("training", "autoencoder", "transfer", "ensembles", "class imbalance")


@pytest.fixture(scope="module")
def networks() -> dict:
    return vars(published)


def test_the_published_count_of_the_deep_network_is_that_of_keras(networks):
    """Keras counts the running statistics of batch norms as parameters."""
    X = np.random.default_rng(0).random((10, 60))
    model = clone(networks["deep_residual_network"]).set_params(max_epochs=1, verbose=0)
    module = model.fit(X, np.arange(10) % 5).net_.module_
    n_learned = sum(p.numel() for p in module.parameters())
    n_running = sum(b.numel() for name, b in module.named_buffers() if "running" in name)
    assert n_learned + n_running == 2_782_725


@pytest.mark.parametrize(("title", "name", "n_samples", "n_parameters"), NETWORKS)
def test_trains_and_has_the_published_size(networks, title, name, n_samples, n_parameters):
    model = clone(networks[name])
    step = model[-1] if isinstance(model, Pipeline) else model
    step.set_params(verbose=0, random_state=0, max_epochs=1)
    X = np.random.default_rng(0).random((50, n_samples))
    model.fit(X, np.arange(50) % 5)
    assert sum(p.numel() for p in step.net_.module_.parameters()) == n_parameters
    # The number in the section of the network.
    page = (DOCS / "networks.rst").read_text(encoding="utf-8")
    section = page.split(f"\n{title}\n---")[1]
    assert re.search(r"([\d,]+) parameters", section)[1] == f"{n_parameters:,}"


def test_the_page_shows_every_network(networks):
    code = Path(published.__file__).read_text(encoding="utf-8")
    page = (DOCS / "networks.rst").read_text(encoding="utf-8")
    shown = re.findall(r":start-after: (# network: .+)", page)
    assert shown == re.findall(r"# network: .+", code)
    assert len(shown) == len(NETWORKS) + len(OTHERS)
    assert {f"# network: {other}" for other in OTHERS} <= set(shown)
    assert all(name in networks for _, name, _, _ in NETWORKS)
