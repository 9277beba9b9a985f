"""Tests of EmbeddingDisplay."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.manifold import MDS
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from ecgclf import ECGMLPClassifier
from ecgclf.plots import EmbeddingDisplay

Y = np.repeat(["V", "N", "S"], [10, 15, 5])


@pytest.fixture
def features():
    return np.random.default_rng(0).normal(size=(30, 6)) + (Y == "V")[:, None]


def places(display):
    return {label: np.asarray(dots.get_offsets()) for label, dots in display.dots_.items()}


def test_principal_components(features):
    display = EmbeddingDisplay(features, Y).plot()
    centred = features - features.mean(axis=0)
    _, size, directions = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ directions[:2].T
    for label, points in places(display).items():
        np.testing.assert_allclose(np.abs(points), np.abs(expected[label == Y]))
    shares = size**2 / (size**2).sum()
    assert display.ax_.get_xlabel() == f"principal component 1 ({shares[0]:.0%} of the variance)"
    assert display.ax_.get_ylabel() == f"principal component 2 ({shares[1]:.0%} of the variance)"
    legend = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert legend == ["N  (n = 15)", "S  (n = 5)", "V  (n = 10)"]


def test_classes_differ_in_colour_and_marker(features):
    dots = EmbeddingDisplay(features, Y).plot().dots_.values()
    assert len({tuple(d.get_facecolor()[0]) for d in dots}) == 3
    assert len({d.get_paths()[0].vertices.tobytes() for d in dots}) == 3


def test_any_reducer(features):
    reducer = MDS(2, n_init=1, init="classical_mds", random_state=0)
    display = EmbeddingDisplay(features, reducer=reducer).plot()
    np.testing.assert_allclose(places(display)[None], reducer.embedding_)
    assert display.ax_.get_xlabel() == "MDS dimension 1"
    assert display.ax_.get_legend() is None


def test_features_of_a_network_and_codes_of_a_transformer(features):
    network = ECGMLPClassifier(dense=(8,), max_epochs=2, random_state=0, verbose=0)
    pipeline = make_pipeline(StandardScaler(), network).fit(features, Y)
    inner = pipeline[-1].features(pipeline[0].transform(features))
    expected = places(EmbeddingDisplay(inner, Y).plot())
    shown = places(EmbeddingDisplay.from_estimator(pipeline, features, Y))
    np.testing.assert_allclose(shown["V"], expected["V"])

    codes = make_pipeline(StandardScaler(), PCA(4)).fit(features)
    expected = places(EmbeddingDisplay(codes.transform(features)).plot())
    np.testing.assert_allclose(
        places(EmbeddingDisplay.from_estimator(codes, features))[None], expected[None]
    )
    with pytest.raises(AttributeError, match="SVC has neither transform nor features"):
        EmbeddingDisplay.from_estimator(SVC(), features)


def test_draws_on_given_axes(features):
    figure, axes = plt.subplots(1, 2)
    display = EmbeddingDisplay(features).plot(ax=axes[0])
    assert display.ax_ is axes[0]
    assert display.figure_ is figure


def test_bad_input(features):
    with pytest.raises(ValueError, match=r"PCA returned shape \(30, 3\); expected \(30, 2\)"):
        EmbeddingDisplay(features, reducer=PCA(3))
    with pytest.raises(ValueError, match="y has 29 entries, but features has 30"):
        EmbeddingDisplay(features, Y[1:])
