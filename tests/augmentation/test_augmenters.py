"""Augmentation classes: common tests, compositions and use in training."""

from __future__ import annotations

import pickle

import joblib
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_predict

from ecgclf import ECGCNNClassifier
from ecgclf.augmentation import (
    AmplitudeScaling,
    BaselineWander,
    Compose,
    GaussianNoise,
    LeadDropout,
    OnSignals,
    RandomCrop,
    TimeShift,
    TimeWarp,
)
from ecgclf.datasets import make_beats
from tests.networks import small_cnn

some = settings(max_examples=25, deadline=None)

#: Instances that change every beat.
ALL = [
    GaussianNoise(std=0.1, p=1.0),
    GaussianNoise(std=0.1, relative=True, p=1.0),
    AmplitudeScaling(p=1.0),
    BaselineWander(fs=125, p=1.0),
    BaselineWander(fs=125, relative=True, p=1.0),
    TimeWarp(p=1.0),
    TimeWarp(center=0.0, p=1.0),
    TimeShift(max_shift=2, p=1.0),
    LeadDropout(rate=0.5, p=1.0),
]

every_augmentation = pytest.mark.parametrize("augment", ALL, ids=repr)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_beats(*shape: int, seed: int = 1) -> torch.Tensor:
    return torch.randn(shape, generator=seeded(seed))


@st.composite
def batches(draw, padded: bool = False):
    """Beats of two or more leads; if padded, with a random number of zeros at the end."""
    n_beats, n_leads = draw(st.integers(1, 5)), draw(st.integers(2, 4))
    n_samples = draw(st.integers(3, 40))
    beats = random_beats(n_beats, n_leads, n_samples, seed=draw(st.integers(0, 2**31)))
    if padded:
        lengths = draw(st.lists(st.integers(0, n_samples), min_size=n_beats, max_size=n_beats))
        for beat, length in zip(beats, lengths):
            beat[:, length:] = 0
    return beats


# --- common tests ------------------------------------------------------------------------------


@every_augmentation
@some
@given(beats=batches(padded=True), seed=st.integers(0, 2**31), p=st.floats(0, 1))
def test_new_signals_depend_only_on_the_generator(augment, beats, seed, p):
    augment = clone(augment).set_params(p=p)
    before, state = beats.clone(), torch.get_rng_state()
    changed = augment(beats, seeded(seed))
    assert torch.equal(beats, before)
    assert changed.data_ptr() != beats.data_ptr()
    assert (changed.shape, changed.dtype) == (beats.shape, beats.dtype)
    assert torch.isfinite(changed).all()
    torch.manual_seed(seed + 1)
    assert torch.equal(augment(beats, seeded(seed)), changed)
    torch.set_rng_state(state)
    augment(beats, seeded(seed))
    assert torch.equal(torch.get_rng_state(), state)


@every_augmentation
@some
@given(beats=batches(padded=True))
def test_padding_is_kept(augment, beats):
    padding = (beats != 0).any(dim=1, keepdim=True).flip(2).cumsum(dim=2).flip(2) == 0
    assert (augment(beats, seeded()) * padding == 0).all()


@pytest.mark.parametrize("augment", [a for a in ALL if hasattr(a, "keep_padding")], ids=repr)
@some
@given(beats=batches(), n_zeros=st.integers(1, 9))
def test_padding_does_not_change_the_augmentation(augment, beats, n_zeros):
    """The random numbers are the same with and without padding, except for noise."""
    padded = torch.nn.functional.pad(beats, (0, n_zeros))
    changed = augment(padded, seeded())[..., :-n_zeros]
    if isinstance(augment, GaussianNoise):
        assert (changed != beats).float().mean() > 0.9
    else:
        torch.testing.assert_close(changed, augment(beats, seeded()))


@pytest.mark.parametrize("augment", [a for a in ALL if hasattr(a, "keep_padding")], ids=repr)
def test_padding_is_changed_without_keep_padding(augment):
    beats = torch.ones(50, 2, 30)
    beats[..., 20:] = 0
    augment = clone(augment).set_params(keep_padding=False)
    assert (augment(beats, seeded())[..., 20:] != 0).any()


def test_zeros_in_one_lead_are_not_padding():
    beats = torch.ones(1, 2, 20)
    beats[0, 1] = 0
    assert (GaussianNoise(std=0.1, p=1.0)(beats, seeded()) != beats).all()


@every_augmentation
def test_p_is_the_fraction_of_changed_beats(augment):
    beats = random_beats(4000, 2, 12)
    for p in (0.0, 0.3, 1.0):
        one = clone(augment).set_params(p=p)
        changed = (one(beats, seeded()) != beats).any(dim=2).any(dim=1)
        # A shift of 0 and a dropout of no lead change nothing.
        share = {TimeShift: 0.8, LeadDropout: 0.75}.get(type(augment), 1.0)
        assert changed.float().mean().item() == pytest.approx(p * share, abs=0.03)
        if p == 0:
            assert torch.equal(one(beats, seeded()), beats)


@every_augmentation
def test_beats_get_different_random_numbers(augment):
    beats = random_beats(1, 12, 30).expand(40, 12, 30)
    changed = augment(beats, seeded())
    assert len(torch.unique(changed.flatten(1), dim=0)) >= (
        5 if isinstance(augment, TimeShift) else 39
    )
    assert not torch.equal(augment(beats, seeded(2)), changed)


@every_augmentation
def test_double_precision_and_views(augment):
    beats = random_beats(6, 4, 50).double()[:, ::2, 5:-5]
    changed = augment(beats, seeded())
    assert changed.dtype == torch.float64
    assert torch.equal(augment(beats.contiguous(), seeded()), changed)


# --- composition -------------------------------------------------------------------------------


def test_compose_applies_in_order():
    augment = Compose([*ALL, lambda signals, generator: 2 * signals])
    beats = random_beats(5, 3, 40)
    generator, expected = seeded(), beats
    for one in ALL:
        expected = one(expected, generator)
    assert torch.equal(augment(beats, seeded()), 2 * expected)
    assert torch.equal(Compose([])(beats, seeded()), beats)


def test_parameters_of_a_composition_by_position():
    augment = Compose([GaussianNoise(), Compose([TimeShift(), len])])
    model = ECGCNNClassifier(augment=augment)
    model.set_params(augment__0__std=0.5, augment__1__0__max_shift=9)
    assert augment.augmentations[0].std == 0.5
    assert augment.get_params()["1__0__max_shift"] == 9
    assert augment.get_params(deep=False) == {"augmentations": augment.augmentations}
    model.set_params(augment__0=TimeWarp())
    assert isinstance(augment.augmentations[0], TimeWarp)
    with pytest.raises(ValueError, match="Invalid parameter 'sd'"):
        model.set_params(augment__0__sd=1)


@pytest.mark.parametrize("augment", [*ALL, Compose(ALL)], ids=lambda a: type(a).__name__)
def test_pickle_and_clone(augment):
    beats = random_beats(5, 3, 40)
    expected = augment(beats, seeded())
    for copy in (pickle.loads(pickle.dumps(augment)), clone(augment)):
        assert torch.equal(copy(beats, seeded()), expected)
        assert repr(copy) == repr(augment)


# --- bad input ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("augment", "error", "match"),
    [
        (GaussianNoise(p=1.5), ValueError, r"p=1\.5.*number from 0 to 1"),
        (GaussianNoise(p="often"), ValueError, "p='often'.*from 0 to 1"),
        (GaussianNoise(std=-1), ValueError, "std=-1.*0 or more"),
        (GaussianNoise(std=float("nan")), ValueError, "std=nan.*finite"),
        (GaussianNoise(std=None), ValueError, "std=None.*0 or more"),
        (AmplitudeScaling(factor=2.0), ValueError, r"factor=2\.0.*two positive numbers"),
        (AmplitudeScaling(factor=(2, 1)), ValueError, r"factor=\(2, 1\).*smallest"),
        (AmplitudeScaling(factor=(0, 1)), ValueError, r"factor=\(0, 1\).*positive"),
        (BaselineWander(fs=0), ValueError, "fs=0.*sampling rate"),
        (BaselineWander(fs=None), ValueError, "fs=None"),
        (BaselineWander(fs=125, amplitude=-1), ValueError, "amplitude=-1"),
        (BaselineWander(fs=125, frequency=0.5), ValueError, r"frequency=0\.5.*two"),
        (TimeWarp(center=2), ValueError, "center=2.*from 0 to 1"),
        (TimeWarp(factor="ab"), ValueError, "factor='ab'"),
        (TimeShift(max_shift=30), ValueError, "max_shift=30.*from 0 to 29.*have 30"),
        (TimeShift(max_shift=1.5), ValueError, r"max_shift=1\.5.*whole number"),
        (TimeShift(max_shift=-1), ValueError, "max_shift=-1"),
        (LeadDropout(rate=2), ValueError, "rate=2.*from 0 to 1"),
    ],
)
def test_invalid_parameters(augment, error, match):
    with pytest.raises(error, match=match):
        augment(random_beats(2, 2, 30), seeded())


@every_augmentation
@pytest.mark.parametrize(
    ("signals", "generator", "error", "match"),
    [
        (np.ones((2, 2, 30)), seeded(), TypeError, "signals are ndarray.*Tensor"),
        (torch.ones(2, 2, 30).int(), seeded(), TypeError, r"signals are torch\.int32"),
        (torch.ones(2, 30), seeded(), ValueError, r"shape \(2, 30\).*\(batch, n_leads"),
        (torch.ones(2, 2, 30), None, TypeError, "generator=None.*not used"),
        (torch.ones(2, 2, 30), 0, TypeError, "generator=0.*torch.Generator"),
    ],
)
def test_invalid_batches(augment, signals, generator, error, match):
    with pytest.raises(error, match=match):
        augment(signals, generator)


def test_single_lead_cannot_be_dropped():
    with pytest.raises(ValueError, match=r"one lead.*two leads or more"):
        LeadDropout()(random_beats(2, 1, 30), seeded())


# --- training ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def beats():
    return make_beats(n_beats=240, n_leads=2, n_patients=6, random_state=0)


def model(**params) -> ECGCNNClassifier:
    augment = Compose([clone(one).set_params(p=0.5) for one in ALL])
    return small_cnn(**{"filters": (6,), "augment": augment, **params})


def test_same_seed_gives_the_same_model_in_workers(beats):
    X, y = beats.data, beats.target
    args = {"method": "predict_proba", "cv": 2}
    serial = cross_val_predict(model(), X, y, **args)
    np.testing.assert_array_equal(cross_val_predict(model(), X, y, **args), serial)
    with joblib.parallel_config("loky", n_jobs=2):
        np.testing.assert_array_equal(cross_val_predict(model(), X, y, **args), serial)
    for other in (model(random_state=1), model(augment=None)):
        assert np.abs(cross_val_predict(other, X, y, **args) - serial).max() > 1e-4


def test_grid_search_over_augmentations(beats):
    search = GridSearchCV(model(), {"augment__0__std": [0.0, 0.1]}, cv=2)
    search.fit(beats.data, beats.target)
    best = search.best_estimator_.augment.augmentations[0].std
    assert best == search.best_params_["augment__0__std"]


def test_per_beat_features_are_not_augmented():
    x = torch.arange(2 * 11, dtype=torch.float32).reshape(2, 11)
    seen = []

    def negate(signals, generator):
        seen.append(signals.clone())
        return -signals

    changed = OnSignals(negate, n_leads=3, n_samples=3)(x, seeded())
    assert torch.equal(seen[0][1, 2], torch.tensor([17.0, 18.0, 19.0]))
    assert torch.equal(changed[:, :9], -x[:, :9])
    assert torch.equal(changed[:, 9:], x[:, 9:])


def test_predictions_are_not_augmented(beats):
    fitted = model().fit(beats.data, beats.target)
    first, second = (fitted.predict_proba(beats.data) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    loaded = pickle.loads(pickle.dumps(fitted))
    np.testing.assert_array_equal(loaded.predict_proba(beats.data), first)


def test_invalid_parameters_raise_in_fit(beats):
    with pytest.raises(ValueError, match=r"max_shift=500.*from 0 to 83"):
        model(augment=TimeShift(max_shift=500)).fit(beats.data, beats.target)
    with pytest.raises(ValueError, match="one lead"):
        model(augment=LeadDropout()).fit(beats.data[:, 0], beats.target)


# --- crops -------------------------------------------------------------------------------------


def test_crops_are_stretches_of_all_leads_at_random_places():
    signals = torch.arange(20.0).expand(500, 3, 20) + 100 * torch.arange(3.0)[:, None]
    crops = RandomCrop(n_samples=8)(signals, seeded())
    starts = crops[:, 0, 0].int()
    assert crops.shape == (500, 3, 8)
    assert set(starts.tolist()) == set(range(13))
    for crop, start in zip(crops, starts):
        assert torch.equal(crop, signals[0, :, start : start + 8])


@pytest.mark.parametrize("n_samples", [0, 31, 2.5, None])
def test_invalid_crops(n_samples):
    with pytest.raises(ValueError, match=f"n_samples={n_samples}.*from 1 to 30"):
        RandomCrop(n_samples=n_samples)(random_beats(2, 2, 30), seeded())


def test_training_on_crops():
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(60, 2, 200)).astype(np.float32), np.arange(60) % 2
    X[y == 1] += np.sin(np.arange(200))
    cropped = model(augment=RandomCrop(n_samples=50), global_pool="avg", max_epochs=30)
    cropped.set_params(batch_size=16).fit(X, y)
    assert cropped.n_samples_ == 200
    assert cropped.score(X, y) > 0.9
    with pytest.raises(ValueError, match=r"crops 200 samples to 50.*global pooling"):
        model(augment=RandomCrop(n_samples=50), global_pool=None).fit(X, y)
