"""Arrays that no function takes: the library's own errors, everywhere."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from ecgclf._validation import to_array
from ecgclf.datasets import Recording, detect_r_peaks, rhythm_features
from ecgclf.evaluation import (
    beat_report,
    coverage_table,
    expected_calibration_error,
    patient_intervals,
    recording_report,
)
from ecgclf.sampling import BeatOverSampler, BeatSMOTE
from ecgclf.transforms import (
    BandpassFilter,
    BeatScaler,
    BeatSegmenter,
    FourierFeatures,
    SignalResampler,
    Spectrogram,
)
from tests.networks import small_mlp

X = np.random.default_rng(0).normal(size=(20, 40)).astype(np.float32)
LONG = np.random.default_rng(1).normal(size=(5, 120)).astype(np.float32)
Y = np.array(["N", "V"] * 10)


def masked(values: np.ndarray) -> np.ma.MaskedArray:
    array = np.ma.array(values)
    array[0] = np.ma.masked
    return array


#: Calls with one argument, and a valid value of it.
CALLS = {
    "fit X": (lambda v: small_mlp().fit(v, Y), X),
    "fit y": (lambda v: small_mlp().fit(X, v), Y),
    "fit groups": (lambda v: small_mlp(early_stopping=True).fit(X, Y, groups=v), np.arange(20)),
    "fit sample_weight": (lambda v: small_mlp().fit(X, Y, v), np.ones(20)),
    "beat_report y_true": (lambda v: beat_report(v, Y), Y),
    "beat_report y_pred": (lambda v: beat_report(Y, v), Y),
    "beat_report groups": (lambda v: beat_report(Y, Y, groups=v), np.arange(20)),
    "patient_intervals": (lambda v: patient_intervals(v, Y, np.arange(20)), Y),
    "recording_report": (lambda v: recording_report(Y, v), np.linspace(0, 1, 20)),
    "calibration": (lambda v: expected_calibration_error(Y, v), np.full(20, 0.5)),
    "coverage": (lambda v: coverage_table(v, np.ones((20, 2), bool), classes=["N", "V"]), Y),
    "sampler X": (lambda v: BeatOverSampler().fit_resample(v, Y), X),
    "sampler y": (lambda v: BeatOverSampler().fit_resample(X, v), Y),
    "sampler groups": (lambda v: BeatSMOTE().fit_resample(X, Y, groups=v), np.arange(20)),
    "filter": (lambda v: BandpassFilter(fs=120).fit(v), X),
    "scaler": (lambda v: BeatScaler().fit_transform(v), X),
    "R peaks": (lambda v: detect_r_peaks(v, 120), X.ravel()),
    "recording": (lambda v: Recording(v, 120), X.ravel()),
    "rhythm": (lambda v: rhythm_features(v, 120), np.arange(20) * 100),
    "segmenter": (lambda v: BeatSegmenter(fs=120).segment(v, [200, 300]), X.ravel()),
    "segmenter peaks": (lambda v: BeatSegmenter(fs=120).segment(X.ravel(), v), np.r_[100:200:5]),
}

WRONG = {
    "masked": masked,
    "dates": lambda values: np.full(values.shape, "2020-01-01", "M8[D]"),
    "times": lambda values: np.full(values.shape, 3, "m8[s]"),
    "complex": lambda values: np.full(values.shape, 1j),
    "ragged": lambda values: [[1, 2], [3]] * (len(values) // 2),
    "nested": lambda values: object_array([[1, 2]] * len(values)),
}


def object_array(values: list) -> np.ndarray:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("wrong", WRONG)
@pytest.mark.parametrize("name", CALLS)
def test_wrong_arrays_are_refused(name, wrong):
    call, value = CALLS[name]
    with pytest.raises((ValueError, TypeError)) as caught:
        call(WRONG[wrong](value))
    if wrong == "masked":
        assert "masked array with" in str(caught.value)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CALLS)
def test_big_endian_numbers_are_taken(name):
    call, value = CALLS[name]
    if value.dtype.kind != "U":
        call(value.astype(value.dtype.newbyteorder(">")))


@pytest.mark.parametrize("name", ["fit y", "fit groups", "beat_report y_true", "sampler y"])
def test_lists_of_mixed_types_are_refused(name):
    with pytest.raises(ValueError, match=r"(y|groups|y_true) contains both text and int\."):
        CALLS[name][0](["N", 1] * 10)


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType"), reason="numpy 1")
def test_numpy_strings_are_taken():
    text = Y.astype(np.dtypes.StringDType())
    assert to_array(text).dtype.kind == "U"
    model = small_mlp().fit(X, text, groups=text)
    np.testing.assert_array_equal(model.predict(X), small_mlp().fit(X, Y).predict(X))


def is_finite_or_refused(call: Callable[[], np.ndarray], message: str) -> bool:
    try:
        result = call()
    except ValueError as error:
        return message in str(error)
    return bool(np.isfinite(result).all())


@pytest.mark.parametrize("size", [1e20, 1e38])
@pytest.mark.parametrize(
    "transformer",
    [
        SignalResampler(120, 360),
        Spectrogram(fs=120),
        FourierFeatures(),
    ],
    ids=lambda t: type(t).__name__,
)
def test_results_that_overflow_are_refused(transformer, size):
    large = np.where(LONG > 0, np.float32(size), np.float32(-size))
    transformer.fit(LONG)
    message = "no finite result for the beat at position 0"
    assert is_finite_or_refused(lambda: transformer.transform(large), message)


@pytest.mark.parametrize(
    "transformer",
    [SignalResampler(120, 360), SignalResampler(360, 120), FourierFeatures(), BeatScaler()],
    ids=lambda t: type(t).__name__,
)
def test_beats_of_one_sample(transformer):
    assert is_finite_or_refused(lambda: transformer.fit_transform(X[:, :1]), "sample")
