"""Samplers in pipelines and searches."""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pytest
from imblearn.combine import SMOTEENN
from imblearn.pipeline import Pipeline, make_pipeline
from sklearn import config_context
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    StratifiedKFold,
    cross_val_score,
    cross_validate,
)
from sklearn.neighbors import KNeighborsClassifier
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback

from ecgclf.augmentation import AmplitudeScaling, GaussianNoise
from ecgclf.sampling import BeatOverSampler, BeatSampler, BeatSMOTE, BeatUnderSampler
from tests.networks import small_cnn

SAMPLERS = [
    BeatOverSampler(augment=GaussianNoise(), random_state=0),
    BeatUnderSampler(random_state=0),
    BeatSMOTE(random_state=0),
    BeatSampler(SMOTEENN(random_state=0)),
]


quick = partial(small_cnn, filters=(8,), stride=1, batch_size=32, max_epochs=1)


# --- pipelines ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_pipeline_resamples_only_training_beats(sampler, beats):
    model = make_pipeline(clone(sampler), quick()).fit(beats.data, beats.target)
    by_hand = quick().fit(*clone(sampler).fit_resample(beats.data, beats.target))
    found = model.predict_proba(beats.data)
    assert found.shape == (300, 5)
    np.testing.assert_array_equal(found, by_hand.predict_proba(beats.data))


def test_grid_search_over_sampler_and_augmentation(beats):
    pipeline = Pipeline(
        [
            ("sampler", BeatOverSampler(augment=AmplitudeScaling(), random_state=0)),
            ("net", quick()),
        ]
    )
    grid = [
        {"sampler__augment__p": [0.0, 1.0], "sampler__sampling_strategy": ["auto", "minority"]},
        {"sampler": [BeatSMOTE(k_neighbors=2, random_state=0), "passthrough"]},
    ]
    search = GridSearchCV(pipeline, grid, cv=StratifiedKFold(2), error_score="raise")
    search.fit(beats.data, beats.target)
    assert len(search.cv_results_["params"]) == 6
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.predict(beats.data).shape == (300,)


def test_metadata_routing_of_groups(beats):
    """With groups no new beat is made from two patients."""
    marked = beats.data[:, 0, :1] * 0.001 + 10.0 * beats.groups[:, None]
    with config_context(enable_metadata_routing=True):
        sampler = BeatSMOTE(random_state=0, k_neighbors=1).set_fit_resample_request(groups=True)
        result = cross_validate(
            make_pipeline(sampler, RecordingClassifier()),
            marked, beats.target,
            cv=GroupKFold(2), params={"groups": beats.groups}, return_estimator=True,
            error_score="raise",
        )  # fmt: skip
    for pipeline in result["estimator"]:
        X = pipeline[-1].seen_
        assert len(X) > 150
        np.testing.assert_allclose(X, 10 * (X / 10).round(), atol=0.1)


class RecordingClassifier(KNeighborsClassifier):
    """Classifier that stores its training beats."""

    def fit(self, X, y):
        self.seen_ = X
        return super().fit(X, y)


class RecordSides(Callback):
    """Store the training and validation rows in the class, because callbacks are copied."""

    sides: list = []  # noqa: RUF012 - shared by the copies

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.sides[:] = dataset_train.X, dataset_valid.X


def test_validation_split_by_patient_after_resampling(beats):
    marked = beats.data[:, 0] * 0.001 + 10.0 * beats.groups[:, None]
    sampler = BeatSMOTE(random_state=0, k_neighbors=1)
    X, y = sampler.fit_resample(marked, beats.target, groups=beats.groups)
    quick(early_stopping=True, validation_fraction=0.4, callbacks=[RecordSides()]).fit(
        X, y, groups=sampler.carry(beats.groups)
    )
    train, held_out = (set((rows.mean(axis=1) / 10).round()) for rows in RecordSides.sides)
    assert train | held_out == set(range(5))
    assert train
    assert held_out
    assert not train & held_out


def test_groups_before_resampling_are_refused_after_it(beats):
    pipeline = Pipeline([("sampler", BeatOverSampler(random_state=0)), ("net", quick())])
    with pytest.raises(ValueError, match=r"groups has the shape \(300,\), expected \(900,\)"):
        pipeline.fit(beats.data, beats.target, net__groups=beats.groups)


def test_two_samplers_in_a_pipeline(beats):
    """Oversample the rare classes, then undersample the frequent ones."""
    rare_up = BeatSMOTE(sampling_strategy={"S": 40, "F": 40, "Q": 40}, random_state=0)
    pipeline = make_pipeline(rare_up, BeatUnderSampler(random_state=0), RecordingClassifier())
    pipeline.fit(
        FunctionTransformer(np.ravel).transform(beats.data).reshape(300, -1), beats.target
    )
    assert Counter(pipeline[-1]._y) == dict.fromkeys(range(5), 40)


# --- leakage -----------------------------------------------------------------------------------

#: Noise that is independent of the class: an unbiased balanced accuracy is 0.5.
NOISE = np.random.default_rng(0).normal(size=(400, 2, 20)).astype(np.float32)
LABELS = np.array(["N"] * 360 + ["V"] * 40)


def flat_knn():
    flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    return make_pipeline(flatten, KNeighborsClassifier(1))


FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


def on_both_sides(sampler) -> int:
    """Count test beats with their original in training, if resampled before the split."""
    _, y = sampler.fit_resample(NOISE, LABELS)
    origin = sampler.carry(np.arange(len(LABELS)))
    return sum(
        np.isin(origin[test], origin[train]).sum() for train, test in FOLDS.split(origin, y)
    )


@pytest.mark.parametrize(
    ("sampler", "lowest"),
    [
        (BeatOverSampler(random_state=0), 0.9),
        (BeatOverSampler(augment=GaussianNoise(std=0.1), random_state=0), 0.9),
        (BeatSMOTE(random_state=0), 0.65),
    ],
    ids=repr,
)
def test_resampling_leaks_before_the_split_but_not_in_a_pipeline(sampler, lowest):
    # 360 beats of class V, nine copies of each of 40 originals.
    assert on_both_sides(clone(sampler)) > 350
    X, y = clone(sampler).fit_resample(NOISE, LABELS)
    figure = "balanced_accuracy"
    wrong = cross_val_score(flat_knn(), X, y, cv=FOLDS, scoring=figure)
    assert wrong.mean() > lowest
    right = cross_validate(
        make_pipeline(clone(sampler), flat_knn()), NOISE, LABELS, cv=FOLDS,
        scoring=figure, return_estimator=True, return_indices=True,
    )  # fmt: skip
    assert right["test_score"].mean() < 0.6
    folds = right["indices"]
    for pipeline, train, test in zip(right["estimator"], folds["train"], folds["test"]):
        origin = pipeline[0].carry(train)
        assert len(origin) > len(train)
        assert not np.isin(origin, test).any()


def test_undersampling_before_the_split_does_not_leak():
    assert on_both_sides(BeatUnderSampler(random_state=0)) == 0
