"""Augmentation of stretches of beats."""

from __future__ import annotations

import pickle
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from ecgclf.augmentation import (
    AtrialFibrillation,
    Compose,
    PrematureBeats,
    Stretches,
    StretchNoise,
    StretchScaling,
    StretchShift,
)

FS, R_PEAK = 100, 0.4
PLACE = {"fs": FS, "r_peak": R_PEAK}
NOISE = np.random.default_rng(0).normal(size=(2, 300))
ALL = [
    PrematureBeats(**PLACE, p=1.0),
    AtrialFibrillation(**PLACE, p=1.0),
    StretchScaling(p=1.0),
    StretchShift(fs=FS, seconds=0.1, p=1.0),
    StretchNoise(noise=NOISE, p=1.0),
]
every_augmentation = pytest.mark.parametrize("augment", ALL, ids=lambda a: type(a).__name__)
CLASSES = np.array(["N", "S", "V"])
PARTS = ("signals", "references", "intervals", "labels")


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make_stretches(n: int = 40, n_beats: int = 30, n_samples: int = 90) -> Stretches:
    """Normal beats with a P wave and an R wave, at nearly regular intervals."""
    t = torch.arange(n_samples) / FS
    beat = 0.15 * torch.exp(-(((t - 0.22) / 0.03) ** 2)) + torch.exp(-(((t - 0.4) / 0.015) ** 2))
    return Stretches(
        signals=beat.repeat(n, n_beats, 1),
        references=beat.repeat(n, 2, 1),
        intervals=1 + 0.02 * torch.randn(n, n_beats + 1, generator=seeded()),
        labels=torch.zeros(n, n_beats, dtype=torch.long),
        classes=CLASSES,
    )


def p_wave(signals: torch.Tensor) -> torch.Tensor:
    return signals[..., 22] - signals[..., 35]


@every_augmentation
def test_new_stretches_depend_only_on_the_generator(augment):
    stretches = make_stretches()
    copy = pickle.loads(pickle.dumps(stretches))
    state = torch.get_rng_state()
    first, second = (clone(augment)(stretches, seeded(3)) for _ in range(2))
    other = augment(stretches, seeded(4))
    assert torch.equal(torch.get_rng_state(), state)
    for name in PARTS:
        assert torch.equal(getattr(first, name), getattr(second, name))
        assert torch.equal(getattr(stretches, name), getattr(copy, name))
    assert not torch.equal(first.signals, other.signals)


@every_augmentation
@settings(max_examples=15, deadline=None)
@given(n=st.integers(1, 4), n_beats=st.integers(1, 12), n_samples=st.integers(2, 50))
def test_any_shape(augment, n, n_beats, n_samples):
    stretches = make_stretches(n, n_beats, n_samples)
    changed = augment(stretches, seeded())
    for name in PARTS:
        assert getattr(changed, name).shape == getattr(stretches, name).shape
        assert getattr(changed, name).dtype == getattr(stretches, name).dtype
        assert torch.isfinite(getattr(changed, name)).all()
    assert (changed.intervals > 0).all()


@every_augmentation
def test_share_of_changed_stretches(augment):
    stretches = make_stretches(n=600)
    changed = clone(augment).set_params(p=0.3)(stretches, seeded())
    share = (changed.signals != stretches.signals).flatten(1).any(1).float().mean()
    assert 0.2 < share < 0.37
    unchanged = clone(augment).set_params(p=0.0)(stretches, seeded())
    assert torch.equal(unchanged.signals, stretches.signals)


def test_moved_beats_come_early_and_the_others_stay():
    stretches = make_stretches(n=300)
    changed = ALL[0](stretches, seeded())
    moved = changed.is_label("S")
    assert 0.03 < moved.float().mean() < 0.35
    ratio = (changed.intervals / stretches.intervals)[:, :-1]
    assert (ratio[moved] <= 0.901).all()
    assert (ratio[moved] >= 0.499).all()
    # A pause may follow a run; nothing else changes.
    after = torch.nn.functional.pad(moved, (1, 0))[:, :-1] & ~moved
    assert (ratio[~moved & ~after] == 1).all()
    assert (ratio[after] >= 1).all()
    pause = (ratio[after] > 1.01).float().mean()
    assert 0.2 < pause < 0.5
    # Without the moved beats' P wave their R wave and the other beats are the same.
    assert torch.equal(changed.signals[~moved], stretches.signals[~moved])
    torch.testing.assert_close(changed.signals[..., 36:], stretches.signals[..., 36:])
    assert torch.equal(changed.references, stretches.references)
    waves = p_wave(changed.signals[moved]) / p_wave(stretches.signals[moved])
    assert waves.min() < -0.5
    assert waves.max() < 1.3
    assert (waves.abs() < 0.05).float().mean() > 0.2


@pytest.mark.parametrize("label", ["S", "V"])
def test_only_stretches_of_normal_beats_get_premature_ones(label):
    stretches = make_stretches()
    labels = stretches.labels.clone()
    labels[:20, : 1 if label == "S" else 12] = stretches.code(label)
    changed = ALL[0](replace(stretches, labels=labels), seeded())
    assert torch.equal(changed.labels[:20], labels[:20])
    assert torch.equal(changed.intervals[:20], stretches.intervals[:20])
    assert changed.is_label("S")[20:].any()


def test_fibrillation_is_irregular_without_p_waves():
    stretches = make_stretches(n=200)
    labels = stretches.labels.clone()
    labels[:, 10] = stretches.code("V")
    labels[0, 3] = stretches.code("S")
    stretches = replace(stretches, labels=labels)
    changed = ALL[1](stretches, seeded())
    assert torch.equal(changed.labels, labels)
    for name in PARTS:  # with an S beat
        assert torch.equal(getattr(changed, name)[0], getattr(stretches, name)[0])
    spread = changed.intervals[1:].log().std(1)
    assert (spread > 0.05).all()
    assert (spread < 0.45).all()
    assert torch.equal(changed.intervals[:, 10:12], stretches.intervals[:, 10:12])
    assert p_wave(changed.references[1:]).abs().max() < 0.03
    usual = changed.signals[1:].mean(1)  # the waves have a random phase in each beat
    assert p_wave(usual).abs().max() < 0.06
    of_v = changed.signals[1:, 10] - stretches.signals[1:, 10]
    assert of_v.abs().max() <= 0.0601


def test_scaling_keeps_beats_and_references_in_proportion():
    stretches = make_stretches()
    changed = ALL[2](stretches, seeded())
    gain = changed.signals[:, 0, 40] / stretches.signals[:, 0, 40]
    assert 0.08 < gain.log().std() < 0.25
    torch.testing.assert_close(changed.signals, stretches.signals * gain[:, None, None])
    torch.testing.assert_close(changed.references, stretches.references * gain[:, None, None])


def test_shifted_windows_keep_beats_and_references_together():
    stretches = make_stretches()
    shifted = StretchShift(fs=FS, seconds=0.1, jitter=0.0, p=1.0)(stretches, seeded())
    peaks = shifted.signals.argmax(dim=2)
    assert (peaks == peaks[:, :1]).all()
    assert (shifted.references.argmax(dim=2) == peaks[:, :2]).all()
    assert set(peaks[:, 0].tolist()) > {33, 40, 47}
    assert peaks.min() >= 30
    assert peaks.max() <= 50
    later = stretches.signals[0, 0].roll(int(peaks[0, 0]) - 40)
    torch.testing.assert_close(shifted.signals[0, 0, 10:80], later[10:80])
    jittered = StretchShift(fs=FS, seconds=0.0, jitter=0.02, p=1.0)(stretches, seeded())
    assert 1.5 < jittered.signals.argmax(dim=2).double().std() < 2.5
    torch.testing.assert_close(jittered.references, stretches.references)


def test_noise_comes_from_the_recording():
    stretches = make_stretches(n=3, n_beats=4)
    changed = StretchNoise(noise=[*np.arange(120.0), *np.arange(120.0)[::-1]], p=1.0)(
        stretches, seeded()
    )
    slopes = (changed.signals - stretches.signals).diff(dim=2)
    sizes = slopes.abs().amax((1, 2))
    assert (sizes < 0.15 / 30).all()
    assert len(sizes.unique()) == 3
    with pytest.raises(ValueError, match="noise has 20 samples"):
        StretchNoise(noise=np.arange(20.0), p=1.0)(stretches, seeded())


def test_composition():
    stretches = make_stretches(n=400)
    both = Compose([PrematureBeats(**PLACE, p=0.4), AtrialFibrillation(**PLACE, p=1.0)])
    changed = both(stretches, seeded())
    premature = changed.is_label("S").any(1)
    fibrillation = (p_wave(changed.references).abs() < 0.03).all(1)
    assert torch.equal(premature, ~fibrillation)
    assert 0.25 < premature.float().mean() < 0.5
    assert both.set_params(**{"0__p": 0.1}).augmentations[0].p == 0.1


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        (PrematureBeats(**PLACE, p=1.5), "p=1.5"),
        (PrematureBeats(**PLACE, share=(0.3, 0.1)), "share"),
        (PrematureBeats(**PLACE, factor=(0, 0.1)), "factor"),
        (PrematureBeats(**PLACE, normal="Normal"), "'Normal' .* is not among the classes"),
        (PrematureBeats(fs=0, r_peak=0.4), "fs=0"),
        (AtrialFibrillation(fs=100, r_peak=-1), "r_peak"),
        (AtrialFibrillation(**PLACE, amplitude=-1), "amplitude"),
        (AtrialFibrillation(**PLACE, spread=0.1), "spread"),
        (StretchScaling(spread=-0.1), "spread"),
        (StretchShift(fs=FS, seconds=-0.1), "seconds"),
        (StretchShift(fs=0), "fs=0"),
    ],
)
def test_invalid_parameters(augment, words):
    with pytest.raises(ValueError, match=words):
        augment(make_stretches(n=2), seeded())
