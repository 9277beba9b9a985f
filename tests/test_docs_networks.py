"""The published networks of the documentation: they train, and have the weights it says."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.pipeline import Pipeline

DOCS = Path(__file__).resolve().parents[1] / "docs"
BENCHMARKS = DOCS.parent / "benchmarks"

#: Title on the page, name in the code, samples of a beat, number of parameters: published
#: for the first, published but for the pooling of the second, else counted by hand. A
#: convolution of c to f channels and kernel k has c f k + f, a dense layer m n + n.
NETWORKS = [
    ("Plain deep CNN", "plain_deep_cnn", 187, 254_901),
    ("Vanilla CNN", "vanilla_cnn", 187, 199_477 + 8 * 5 * 32 + 16 * 5 * 64),
    (
        "Small CNN with batch norm",
        "small_cnn",
        187,
        # No bias but two parameters of the batch norm; 187 is halved three times to 24.
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
]  # fmt: skip


@pytest.fixture(scope="module")
def networks() -> dict:
    return runpy.run_path(str(BENCHMARKS / "published_networks.py"))


@pytest.mark.parametrize(("title", "name", "n_samples", "n_parameters"), NETWORKS)
def test_trains_and_has_the_published_size(networks, title, name, n_samples, n_parameters):
    model = clone(networks[name])
    step = model[-1] if isinstance(model, Pipeline) else model
    step.set_params(verbose=0, random_state=0, max_epochs=min(step.max_epochs, 3))
    X = np.random.default_rng(0).random((50, n_samples))
    model.fit(X, np.arange(50) % 5)
    assert sum(p.numel() for p in step.net_.module_.parameters()) == n_parameters
    # What the page says under the network's title.
    page = (DOCS / "networks.rst").read_text(encoding="utf-8")
    section = page.split(f"\n{title}\n---")[1]
    assert re.search(r"([\d,]+) parameters", section)[1] == f"{n_parameters:,}"


def test_the_page_shows_every_network(networks):
    code = (BENCHMARKS / "published_networks.py").read_text(encoding="utf-8")
    page = (DOCS / "networks.rst").read_text(encoding="utf-8")
    shown = re.findall(r":start-after: (# network: .+)", page)
    assert shown == re.findall(r"# network: .+", code)
    assert len(shown) == len(NETWORKS)
    assert all(name in networks for _, name, _, _ in NETWORKS)
