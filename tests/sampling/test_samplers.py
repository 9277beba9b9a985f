"""Random samplers and the adapter: comparison with imbalanced-learn, augmented copies."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from imblearn.combine import SMOTEENN
from imblearn.over_sampling import SMOTE, BorderlineSMOTE, RandomOverSampler
from imblearn.under_sampling import EditedNearestNeighbours, NearMiss, RandomUnderSampler

from ecgclf.augmentation import AmplitudeScaling, Compose, GaussianNoise, TimeShift, _apply
from ecgclf.sampling import BeatOverSampler, BeatSampler, BeatSMOTE, BeatUnderSampler


def some_more(y):
    """Add ten beats to each class that is not the largest."""
    return {label: n + 10 for label, n in Counter(y).items() if n < 100}


def some_less(y):
    return {label: n - 10 for label, n in Counter(y).items()}


OVER = ["auto", "minority", "not minority", "all", {"S": 50, "F": 20}, some_more]
UNDER = ["auto", "majority", "not majority", "all", {"N": 50, "V": 20}, some_less]

PAIRS = [
    *((BeatOverSampler, RandomOverSampler, strategy) for strategy in OVER),
    *((BeatUnderSampler, RandomUnderSampler, strategy) for strategy in UNDER),
    *((BeatSMOTE, SMOTE, strategy) for strategy in OVER),
]


def named(value):
    return getattr(value, "__name__", str(value))


def flat(X):
    return X.reshape(len(X), -1)


@pytest.mark.parametrize(("ours", "theirs", "strategy"), PAIRS, ids=named)
@pytest.mark.parametrize("seed", [0, np.random.RandomState], ids=["int", "RandomState"])
def test_strategies_equal_imblearn(ours, theirs, strategy, seed, beats):
    first, second = (seed if seed == 0 else seed(3) for _ in range(2))
    sampler = ours(sampling_strategy=strategy, random_state=first)
    X, y = sampler.fit_resample(beats.data, beats.target)
    reference = theirs(sampling_strategy=strategy, random_state=second)
    expected_X, expected_y = reference.fit_resample(flat(beats.data), beats.target)
    np.testing.assert_array_equal(flat(X), expected_X)
    np.testing.assert_array_equal(y, expected_y)
    assert sampler.sampling_strategy_ == reference.sampling_strategy_
    if ours is not BeatSMOTE:
        np.testing.assert_array_equal(sampler.sample_indices_, reference.sample_indices_)


@pytest.mark.parametrize(("ours", "theirs"), sorted({pair[:2] for pair in PAIRS}, key=str))
@pytest.mark.parametrize("ratio", [0.5, 0.75, 1.0])
def test_ratio_of_two_classes(ours, theirs, ratio, beats):
    few = np.isin(beats.target, ["N", "S"])
    data, target = beats.data[few], beats.target[few]
    X, y = ours(sampling_strategy=ratio, random_state=1).fit_resample(data, target)
    expected = theirs(sampling_strategy=ratio, random_state=1).fit_resample(flat(data), target)
    counts = Counter(y)
    assert counts["S"] / counts["N"] == pytest.approx(ratio)
    np.testing.assert_array_equal(flat(X), expected[0])
    np.testing.assert_array_equal(y, expected[1])


def test_ratio_needs_two_classes(beats):
    with pytest.raises(ValueError, match="only when the type of target is binary"):
        BeatOverSampler(sampling_strategy=0.5).fit_resample(beats.data, beats.target)


def test_undersampling_with_replacement(beats):
    sampler = BeatUnderSampler(sampling_strategy={"F": 15}, replacement=True, random_state=0)
    reference = RandomUnderSampler(**sampler.get_params())
    X, _ = sampler.fit_resample(beats.data, beats.target)
    np.testing.assert_array_equal(
        flat(X), reference.fit_resample(flat(beats.data), beats.target)[0]
    )


@pytest.mark.parametrize(
    "make",
    [
        lambda: SMOTEENN(random_state=0),
        lambda: SMOTEENN(smote=BeatSMOTE(random_state=0)),
        lambda: BorderlineSMOTE(random_state=0),
        lambda: NearMiss(version=2),
        lambda: EditedNearestNeighbours(),
        lambda: RandomOverSampler(shrinkage=0.5, random_state=0),
    ],
)
def test_adapter_equals_its_sampler(make, beats):
    X, y = BeatSampler(make()).fit_resample(beats.data, beats.target)
    expected_X, expected_y = make().fit_resample(flat(beats.data), beats.target)
    np.testing.assert_array_equal(flat(X), expected_X)
    np.testing.assert_array_equal(y, expected_y)
    assert 0 < len(X) != len(beats.data)


def test_adapter_clones_its_sampler_and_sets_its_parameters(beats):
    inner = SMOTE(random_state=0)
    sampler = BeatSampler(inner).set_params(sampler__k_neighbors=2)
    sampler.fit_resample(beats.data, beats.target)
    assert not hasattr(inner, "sampling_strategy_")
    assert sampler.sampler_.k_neighbors == inner.k_neighbors == 2
    with pytest.raises(ValueError, match="'k_neighbors' parameter of SMOTE"):
        sampler.set_params(sampler__k_neighbors=0).fit_resample(beats.data, beats.target)


# --- augmented copies --------------------------------------------------------------------------

NOISE = GaussianNoise(std=0.1, p=1.0)


def double(signals, generator):
    return 2 * signals


class Recorder:
    """Augmentation that changes nothing and records its arguments."""

    def __init__(self):
        self.seen = []

    def __call__(self, signals, generator):
        self.seen.append((signals.clone(), generator))
        return signals

    def __deepcopy__(self, memo):
        return self


def test_only_copies_are_changed_and_differently(beats):
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


def test_arguments_of_the_augmentation(beats):
    recorder = Recorder()
    sampler = BeatOverSampler(augment=recorder, random_state=0)
    X, _ = sampler.fit_resample(beats.data.astype(np.float64), beats.target)
    [(signals, generator)] = recorder.seen
    assert signals.dtype == torch.float32
    assert isinstance(generator, torch.Generator)
    np.testing.assert_array_equal(signals, X[300:])
    assert X.dtype == np.float64


def test_rows_with_leads_and_features(beats):
    recorder = Recorder()
    rows = np.column_stack([beats.data.reshape(300, -1), beats.rhythm]).astype(np.float32)
    n_tabular = beats.rhythm.shape[1]
    params = {"n_leads": 2, "n_tabular": n_tabular, "random_state": 0}
    X, _ = BeatOverSampler(augment=recorder, **params).fit_resample(rows, beats.target)
    np.testing.assert_array_equal(recorder.seen[0][0].flatten(1), X[300:, :-n_tabular])
    sampler = BeatOverSampler(augment=double, **params)
    X, _ = sampler.fit_resample(rows, beats.target)
    copied = rows[sampler.sample_indices_[300:]]
    np.testing.assert_array_equal(X[300:, -n_tabular:], copied[:, -n_tabular:])
    np.testing.assert_array_equal(X[300:, :-n_tabular], 2 * copied[:, :-n_tabular])


def test_batches_share_one_generator(beats, monkeypatch):
    sampler = BeatOverSampler(augment=double, random_state=0)
    whole, _ = sampler.fit_resample(beats.data, beats.target)
    recorder = Recorder()
    monkeypatch.setattr(_apply, "_BATCH", 250)
    parts, _ = sampler.fit_resample(beats.data, beats.target)
    np.testing.assert_array_equal(parts, whole)
    sampler.set_params(augment=recorder).fit_resample(beats.data, beats.target)
    assert [len(signals) for signals, _ in recorder.seen] == [250, 250, 100]
    assert len({id(generator) for _, generator in recorder.seen}) == 1


def test_seed_determines_the_copies_without_the_generator_of_torch(beats):
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


def test_augmentation_in_place_does_not_change_the_beats(beats):
    def in_place(signals, generator):
        return signals.mul_(0)

    before = beats.data.copy()
    X, _ = BeatOverSampler(augment=in_place, random_state=0).fit_resample(
        beats.data, beats.target
    )
    np.testing.assert_array_equal(beats.data, before)
    np.testing.assert_array_equal(X[:300], before)
    assert (X[300:] == 0).all()


def test_parameters_of_the_augmentation(beats):
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
def test_invalid_results_of_the_augmentation(augment, message, beats):
    with pytest.raises(ValueError, match=message):
        BeatOverSampler(augment=augment).fit_resample(beats.data, beats.target)


def test_invalid_shapes_of_rows(beats):
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
