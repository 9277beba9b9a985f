"""Signal quality of signals with known defects."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from ecgclf.datasets import load_mitbih, make_beats
from ecgclf.transforms import SignalQuality

FS = 360
TIME = np.arange(3600) / FS


def quality_of(signal: np.ndarray) -> dict[str, float]:
    made = SignalQuality(fs=FS).fit(signal[np.newaxis])
    return dict(zip(made.get_feature_names_out(), made.transform(signal[np.newaxis])[0]))


def sine(frequency: float) -> np.ndarray:
    return np.sin(2 * np.pi * frequency * TIME)


@pytest.mark.parametrize(
    ("frequencies", "qrs_power", "high_frequency"),
    [((10,), 1, 0), ((25,), 0, 0), ((10, 25), 0.5, 0), ((10, 50), 1, 0.5), ((60, 90), None, 1)],
)
def test_power_of_sines(frequencies, qrs_power, high_frequency):
    found = quality_of(sum(sine(f) for f in frequencies))
    assert found["high_frequency"] == pytest.approx(high_frequency, abs=1e-4)
    if qrs_power is not None:
        assert found["qrs_power"] == pytest.approx(qrs_power, abs=1e-4)


def test_kurtosis_equals_scipy():
    rng = np.random.default_rng(0)
    spiky = np.zeros(3600)
    spiky[::300] = 1
    for signal in (rng.normal(size=3600), rng.uniform(size=3600), spiky, sine(3)):
        expected = stats.kurtosis(signal, fisher=False)
        assert quality_of(signal)["kurtosis"] == pytest.approx(expected)
    assert quality_of(spiky)["kurtosis"] > 5 > 3.5 > quality_of(rng.normal(size=3600))["kurtosis"]


@settings(deadline=None, max_examples=40)
@given(length=st.integers(2, 3600), start=st.integers(0, 3598), level=st.floats(-3, 3))
def test_longest_flat_run(length, start, level):
    signal = np.random.default_rng(0).normal(size=3600)
    signal[start : start + length] = level
    n_flat = min(length, 3600 - start)
    assert quality_of(signal)["flat"] == pytest.approx(n_flat / 3600)


@pytest.mark.parametrize("level", [0.3, 0.8])
@pytest.mark.parametrize("sign", [1, -1])
def test_clipped_sine_is_saturated(level, sign):
    found = quality_of(sign * np.minimum(sine(1), level))
    beyond = 0.5 - np.arcsin(level) / np.pi  # of each of the ten periods
    assert found["saturated"] == pytest.approx(beyond / 10, abs=2 / 3600)
    assert quality_of(sine(1.03))["saturated"] < 0.002


def test_disconnected_lead():
    found = quality_of(np.full(3600, 0.2))
    assert (found["flat"], found["saturated"]) == (1, 1)
    assert all(np.isnan(found[name]) for name in ("kurtosis", "qrs_power", "high_frequency"))
    with_noise = make_beats(n_beats=4, n_patients=2, n_leads=2, fs=FS, random_state=0).data.copy()
    with_noise[1, 1] = 3.0
    made = SignalQuality(fs=FS).set_output(transform="pandas").fit_transform(with_noise)
    assert made["lead_1_flat"].tolist()[1] == 1
    assert np.flatnonzero(made.isna().any(axis=1)).tolist() == [1]


@settings(deadline=None, max_examples=20)
@given(gain=st.floats(0.01, 100), offset=st.floats(-9, 9))
def test_gain_and_offset_do_not_change_the_indices(gain, offset):
    beats = make_beats(n_beats=6, n_patients=2, fs=FS, random_state=0).data.astype(np.float64)
    made = SignalQuality(fs=FS).fit(beats)
    np.testing.assert_allclose(
        made.transform(gain * beats + offset), made.transform(beats), rtol=1e-5, atol=1e-6
    )


def test_noise_added_to_real_beats(mitdb_dir):
    """Noise adds power at high frequencies."""
    clean = load_mitbih(mitdb_dir, records=["103"], window=(0.5, 0.5)).data[:400]
    noise = np.random.default_rng(0).normal(scale=0.3, size=clean.shape)
    made = SignalQuality(fs=FS).set_output(transform="pandas").fit(clean)
    before, after = made.transform(clean), made.transform(clean + noise)
    assert (after["high_frequency"] > before["high_frequency"]).all()
    assert (after["kurtosis"] < before["kurtosis"]).mean() > 0.99
    assert after["qrs_power"].median() < before["qrs_power"].median()


@pytest.mark.parametrize("fs", [0, 80, "360"])
def test_fs_too_low(fs):
    with pytest.raises(ValueError, match="The 'fs' parameter"):
        SignalQuality(fs=fs).fit(np.zeros((2, 252)))
