"""Checks that several packages share: leads and samples that are exchanged."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from imblearn.over_sampling import SMOTE

import ecgclf
from ecgclf import ECGAutoencoder, ECGSpectrogramClassifier
from ecgclf.augmentation import (
    AmplitudeScaling,
    BaselineWander,
    Compose,
    GaussianNoise,
    LeadDropout,
    TimeShift,
    TimeWarp,
)
from ecgclf.estimators import ConformalClassifier
from ecgclf.sampling import BeatOverSampler, BeatSampler, BeatSMOTE, BeatUnderSampler
from ecgclf.transforms import (
    BandpassFilter,
    BaselineWanderRemover,
    BeatScaler,
    FourierFeatures,
    MorphologyFeatures,
    NotchFilter,
    Scalogram,
    SignalQuality,
    SignalResampler,
    Spectrogram,
    WaveletDenoiser,
)
from tests.networks import QUICK

#: A saved network of one lead.
SAVED_SOURCE = str(Path(ecgclf.__file__).parent / "persistence/pretrained/mitbih-small.ecgclf")

ESTIMATORS = [
    getattr(ecgclf, name)(**QUICK)
    for name in ecgclf.__all__
    if name.startswith("ECG")
    and name not in ("ECGSpectrogramClassifier", "ECGTransferClassifier")
]
ESTIMATORS += [
    ecgclf.ECGTransferClassifier(source=SAVED_SOURCE, **QUICK),
    ConformalClassifier(ecgclf.ECGMLPClassifier(**QUICK)),
]
TRANSFORMERS = [
    BandpassFilter(fs=100),
    BaselineWanderRemover(fs=100),
    BeatScaler(),
    BeatScaler(per="dataset"),
    FourierFeatures(),
    MorphologyFeatures(fs=100, before=0.01),
    NotchFilter(fs=100, frequency=40),
    Scalogram(fs=100),
    SignalQuality(fs=100),
    SignalResampler(fs_in=100, fs_out=50),
    Spectrogram(fs=100),
    WaveletDenoiser(),
]
SAMPLERS = [
    BeatOverSampler(),
    BeatOverSampler(augment=GaussianNoise()),
    BeatUnderSampler(),
    BeatSMOTE(),
    BeatSampler(SMOTE()),
]
AUGMENTATIONS = [
    AmplitudeScaling(),
    BaselineWander(fs=100),
    Compose([GaussianNoise()]),
    GaussianNoise(),
    LeadDropout(),
    TimeShift(max_shift=1),
    TimeWarp(),
]

beats = np.random.default_rng(0).normal(size=(24, 30, 1)).astype(np.float32)  # as for Keras
labels = np.array(["N", "V", "S"] * 8)

refuses = pytest.raises(
    ValueError,
    match=r"X of shape \(\d+, 30, 1\) has 30 leads of 1 sample.*pass X\.transpose\(0, 2, 1\)",
)
warns = pytest.warns(
    UserWarning,
    match=r"X of shape \(\d+, 10, 3\) has 10 leads of only 3 samples"
    r".*pass X\.transpose\(0, 2, 1\)",
)
quiet = pytest.mark.filterwarnings("error:X of shape")


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_estimators_refuse_or_warn(estimator):
    with refuses:
        estimator.fit(beats, labels)
    with warns, contextlib.suppress(ValueError):  # some networks need more samples
        estimator.fit(beats.reshape(24, 10, 3), labels)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_transformers_refuse_or_warn(transformer):
    with refuses:
        transformer.fit(beats)
    with warns, contextlib.suppress(ValueError):  # some need more samples
        transformer.fit(beats.reshape(24, 10, 3))


def test_transformers_without_fit_refuse_or_warn():
    with refuses:
        FourierFeatures().transform(beats)
    with warns:
        FourierFeatures().transform(beats.reshape(24, 10, 3))


@quiet
@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_samplers_refuse(sampler):
    with refuses:
        sampler.fit_resample(beats, labels)
    with refuses:
        sampler.fit(beats, labels)
    # Frequencies of a spectrogram may outnumber its frames.
    sampler.fit_resample(beats.reshape(24, 10, 3), labels)


@quiet
@pytest.mark.parametrize("augment", AUGMENTATIONS, ids=repr)
def test_augmentations_refuse(augment):
    signals = torch.from_numpy(beats)
    match = re.escape("signals of shape (24, 30, 1) has 30 leads of 1 sample")
    with pytest.raises(ValueError, match=match + r".*pass signals\.transpose\(1, 2\)"):
        augment(signals, torch.Generator())
    # Frequencies of a spectrogram may outnumber its frames.
    assert augment(signals.reshape(24, 10, 3), torch.Generator()).shape == (24, 10, 3)


@quiet
def test_the_transposed_array_is_accepted():
    X = beats.transpose(0, 2, 1)
    scaled = BeatScaler().fit_transform(X)
    np.testing.assert_allclose(scaled.std(axis=2), 1, rtol=1e-3)
    ECGAutoencoder(**QUICK).fit(X)


@quiet
def test_spectrograms_may_have_more_frequencies_than_frames():
    X = np.abs(beats.reshape(24, 10, 3))
    model = ECGSpectrogramClassifier(filters=(4,), **QUICK).fit(X, labels)
    assert model.predict(X).shape == (24,)
    ECGSpectrogramClassifier(filters=(4,), **QUICK).fit(beats, labels)
