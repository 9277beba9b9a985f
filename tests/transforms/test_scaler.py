"""Scaling of beats compared with scikit-learn, with and without padding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.preprocessing import minmax_scale, robust_scale, scale

from ecgclf.transforms import BeatScaler

some = settings(max_examples=25, deadline=None)

#: Functions of scikit-learn that scale each column.
PEERS = {"minmax": minmax_scale, "standard": scale, "robust": robust_scale}
METHODS = list(PEERS)


@st.composite
def padded_beats(draw):
    """Beats, and their number of samples before the padding: at least two."""
    n_beats, n_leads = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    n_samples = draw(st.integers(3, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**31)))
    X = rng.normal(size=(n_beats, n_leads, n_samples)) + 3 * rng.normal(size=(1, n_leads, 1))
    lengths = rng.integers(2, n_samples + 1, size=n_beats)
    for beat, length in zip(X, lengths):
        beat[:, length:] = 0
    return X, lengths


@pytest.mark.parametrize("method", METHODS)
@some
@given(beats=padded_beats())
def test_per_lead(method, beats):
    X, lengths = beats
    scaled = BeatScaler(method).fit_transform(X)
    for beat, row, length in zip(X, scaled, lengths):
        expected = PEERS[method](beat[:, :length].T).T
        np.testing.assert_allclose(row[:, :length], expected, atol=1e-9)
        assert (row[:, length:] == 0).all()


@pytest.mark.parametrize("method", METHODS)
@some
@given(beats=padded_beats())
def test_per_beat(method, beats):
    X, lengths = beats
    scaled = BeatScaler(method, "beat").fit_transform(X)
    for beat, row, length in zip(X, scaled, lengths):
        expected = PEERS[method](beat[:, :length].ravel()).reshape(-1, length)
        np.testing.assert_allclose(row[:, :length], expected, atol=1e-9)
        assert (row[:, length:] == 0).all()


@pytest.mark.parametrize("method", METHODS)
@some
@given(beats=padded_beats())
def test_per_dataset(method, beats):
    X, lengths = beats
    fitted = BeatScaler(method, "dataset").fit(X)
    assert fitted.center_.shape == fitted.scale_.shape == X.shape[1:2]
    scaled = fitted.transform(X)
    inside = np.concatenate([beat[:, :length] for beat, length in zip(X, lengths)], axis=1)
    found = np.concatenate([row[:, :length] for row, length in zip(scaled, lengths)], axis=1)
    np.testing.assert_allclose(found, PEERS[method](inside.T).T, atol=1e-9)
    # New beats are scaled with the statistics of the fit.
    new = fitted.transform(10 * X + 1)[..., 0]
    expected = (10 * X[..., 0] + 1 - fitted.center_) / fitted.scale_
    np.testing.assert_allclose(new, expected, atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
def test_padding_does_not_enter_the_statistics(method, rng):
    X = rng.normal(size=(4, 2, 30)) + 5
    for per in ("lead", "beat", "dataset"):
        alone = BeatScaler(method, per).fit_transform(X)
        filled = np.pad(X, ((0, 0), (0, 0), (0, 25)))
        padded = BeatScaler(method, per).fit_transform(filled)
        np.testing.assert_allclose(padded[..., :30], alone, atol=1e-12)
        assert (padded[..., 30:] == 0).all()
        counted = BeatScaler(method, per, keep_padding=False).fit_transform(filled)
        assert np.abs(counted[..., :30] - alone).max() > 0.1


def test_zeros_in_one_lead_are_not_padding():
    X = np.array([[[1.0, 2.0, 0.0, 0.0], [1.0, 1.0, 1.0, 3.0]]])
    scaled = BeatScaler("minmax").fit_transform(X)
    np.testing.assert_allclose(scaled, [[[0.5, 1, 0, 0], [0, 0, 0, 1]]])


@pytest.mark.parametrize("per", ["lead", "beat", "dataset"])
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("value", [0.1, -1e6, 0.0, 1e-30])
def test_constant_beats_become_zero(per, method, dtype, value):
    """Even if rounding makes the mean of equal numbers differ from them."""
    X = np.full((3, 2, 187), value, dtype=dtype)
    X[:, 1] *= 1 if per == "beat" else -3
    assert (BeatScaler(method, per).fit_transform(X) == 0).all()


def test_beat_of_zeros_stays_zero(rng):
    X = rng.normal(size=(3, 2, 20))
    X[1] = 0
    for method in METHODS:
        for per in ("lead", "beat", "dataset"):
            scaled = BeatScaler(method, per).fit_transform(X)
            assert (scaled[1] == 0).all()
            assert (scaled[0] != 0).sum() > 30


def test_equal_quartiles():
    X = np.array([[2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0, 9.0]])
    np.testing.assert_array_equal(BeatScaler("robust").fit_transform(X), X - 2)


def test_refit_removes_old_attributes(rng):
    scaler = BeatScaler(per="dataset").fit(rng.normal(size=(3, 20)))
    scaler.set_params(per="lead").fit(rng.normal(size=(3, 20)))
    assert not hasattr(scaler, "center_")


@pytest.mark.parametrize(
    ("transformer", "match"),
    [
        (BeatScaler("range"), "'method' parameter.*'robust'.*Got 'range'"),
        (BeatScaler(per="feature"), "'per' parameter.*'dataset'.*Got 'feature'"),
        (BeatScaler(keep_padding=2), "'keep_padding' parameter"),
    ],
    ids=repr,
)
def test_invalid_parameters(transformer, match):
    with pytest.raises(ValueError, match=match):
        transformer.fit(np.ones((2, 10)))
