"""Copies that are changed: which, how, and by which generator."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ecgclf.augmentation import AmplitudeScaling, Compose, GaussianNoise, TimeShift, _apply
from ecgclf.sampling import BeatOverSampler

NOISE = GaussianNoise(std=0.1, p=1.0)


def double(signals, generator):
    return 2 * signals


class Remember:
    """Change nothing and keep what was seen."""

    def __init__(self):
        self.seen = []

    def __call__(self, signals, generator):
        self.seen.append((signals.clone(), generator))
        return signals

    def __deepcopy__(self, memo):
        return self


def test_only_the_copies_are_changed_and_each_in_its_own_way(beats):
    plain = BeatOverSampler(random_state=0).fit_resample(beats.data, beats.target)
    sampler = BeatOverSampler(augment=NOISE, random_state=0)
    X, y = sampler.fit_resample(beats.data, beats.target)
    np.testing.assert_array_equal(X[:300], beats.data)
    np.testing.assert_array_equal(y, plain[1])
    added = X[300:] - beats.data[sampler.sample_indices_[300:]]
    assert added.shape == (600, 2, 84)
    assert len(np.unique(X[300:].reshape(600, -1), axis=0)) == 600
    assert added.std() == pytest.approx(0.1, rel=0.02)
    assert X.dtype == np.float32


def test_what_the_augmentation_sees(beats):
    remember = Remember()
    sampler = BeatOverSampler(augment=remember, random_state=0)
    X, _ = sampler.fit_resample(beats.data.astype(np.float64), beats.target)
    [(signals, generator)] = remember.seen
    assert signals.dtype == torch.float32
    assert isinstance(generator, torch.Generator)
    np.testing.assert_array_equal(signals, X[300:])
    assert X.dtype == np.float64


def test_rows_of_several_leads_and_features(beats):
    remember = Remember()
    rows = np.column_stack([beats.data.reshape(300, -1), beats.rhythm]).astype(np.float32)
    n_tabular = beats.rhythm.shape[1]
    params = {"n_leads": 2, "n_tabular": n_tabular, "random_state": 0}
    X, _ = BeatOverSampler(augment=remember, **params).fit_resample(rows, beats.target)
    np.testing.assert_array_equal(remember.seen[0][0].flatten(1), X[300:, :-n_tabular])
    sampler = BeatOverSampler(augment=double, **params)
    X, _ = sampler.fit_resample(rows, beats.target)
    copied = rows[sampler.sample_indices_[300:]]
    np.testing.assert_array_equal(X[300:, -n_tabular:], copied[:, -n_tabular:])
    np.testing.assert_array_equal(X[300:, :-n_tabular], 2 * copied[:, :-n_tabular])


def test_batches_do_not_change_what_is_drawn_alone(beats, monkeypatch):
    sampler = BeatOverSampler(augment=double, random_state=0)
    whole, _ = sampler.fit_resample(beats.data, beats.target)
    remember = Remember()
    monkeypatch.setattr(_apply, "_BATCH", 250)
    parts, _ = sampler.fit_resample(beats.data, beats.target)
    np.testing.assert_array_equal(parts, whole)
    sampler.set_params(augment=remember).fit_resample(beats.data, beats.target)
    assert [len(signals) for signals, _ in remember.seen] == [250, 250, 100]
    assert len({id(generator) for _, generator in remember.seen}) == 1


def test_the_seed_rules_and_torch_is_left_alone(beats):
    def resample(seed):
        augment = Compose([TimeShift(p=1.0), NOISE])
        sampler = BeatOverSampler(augment=augment, random_state=seed)
        return sampler.fit_resample(beats.data, beats.target)[0]

    state = torch.get_rng_state()
    first = resample(0)
    torch.rand(5)
    np.testing.assert_array_equal(resample(0), first)
    assert not np.array_equal(resample(1), first)
    torch.set_rng_state(state)
    resample(np.random.RandomState(0))
    assert torch.equal(torch.get_rng_state(), state)


def test_an_augmentation_that_writes_into_its_batch_leaves_the_beats_alone(beats):
    def in_place(signals, generator):
        return signals.mul_(0)

    before = beats.data.copy()
    X, _ = BeatOverSampler(augment=in_place, random_state=0).fit_resample(
        beats.data, beats.target
    )
    np.testing.assert_array_equal(beats.data, before)
    np.testing.assert_array_equal(X[:300], before)
    assert (X[300:] == 0).all()


def test_parameters_of_the_augmentation_are_reached(beats):
    sampler = BeatOverSampler(augment=AmplitudeScaling(p=1.0), random_state=0)
    sampler.set_params(augment__factor=(3.0, 3.0))
    X, _ = sampler.fit_resample(beats.data, beats.target)
    np.testing.assert_allclose(X[300:], 3 * beats.data[sampler.sample_indices_[300:]], rtol=1e-6)


@pytest.mark.parametrize(
    ("augment", "message"),
    [
        (lambda s, g: s[:, :, 1:], r"augment returned \(600, 2, 83\), expected .*\(600, 2, 84\)"),
        (lambda s, g: s.numpy(), "augment returned ndarray, expected a Tensor"),
        (lambda s, g: s / 0, "augment returned NaN or infinite values"),
    ],
)
def test_what_an_augmentation_must_not_return(augment, message, beats):
    with pytest.raises(ValueError, match=message):
        BeatOverSampler(augment=augment).fit_resample(beats.data, beats.target)


def test_how_rows_are_made_up_must_fit(beats):
    rows = beats.data.reshape(300, -1)
    for X, params, message in [
        (rows, {"n_leads": 5}, "168 .*cannot be divided among n_leads=5"),
        (rows, {"n_leads": 2, "n_tabular": 1}, "the other 167 cannot be divided"),
        (rows, {"n_tabular": 168}, "the other 0 cannot be divided"),
        (beats.data, {"n_tabular": 4}, "no room for the n_tabular=4 features"),
        (beats.data, {"n_leads": 3}, "X has 2 leads, but n_leads=3"),
        ((1000 * rows).astype(np.int16), {"augment": double}, "type int16, .*would be rounded"),
    ]:
        with pytest.raises(ValueError, match=message):
            BeatOverSampler(**params).fit_resample(X, beats.target)
