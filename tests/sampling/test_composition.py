"""Samplers in the pipelines of imbalanced-learn and in searches, and the leak they prevent."""

from __future__ import annotations

from collections import Counter

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

from ecgclf import ECGCNNClassifier
from ecgclf.augmentation import AmplitudeScaling, GaussianNoise
from ecgclf.sampling import BeatOverSampler, BeatSampler, BeatSMOTE, BeatUnderSampler

SAMPLERS = [
    BeatOverSampler(augment=GaussianNoise(), random_state=0),
    BeatUnderSampler(random_state=0),
    BeatSMOTE(random_state=0),
    BeatSampler(SMOTEENN(random_state=0)),
]


def quick(**params):
    return ECGCNNClassifier(
        filters=(8,),
        stride=1,
        kernel_size=5,
        batch_size=32,
        max_epochs=1,
        random_state=0,
        verbose=0,
    ).set_params(**params)


# --- pipelines ---------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", SAMPLERS, ids=repr)
def test_a_pipeline_resamples_what_it_learns_from_and_nothing_else(sampler, beats):
    model = make_pipeline(clone(sampler), quick()).fit(beats.data, beats.target)
    by_hand = quick().fit(*clone(sampler).fit_resample(beats.data, beats.target))
    found = model.predict_proba(beats.data)
    assert found.shape == (300, 5)
    np.testing.assert_array_equal(found, by_hand.predict_proba(beats.data))


def test_a_search_reaches_the_sampler_and_its_augmentation(beats):
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


def test_patients_reach_the_sampler_by_routing(beats):
    """And so no new beat of a fold is made of two patients."""
    marked = beats.data[:, 0, :1] * 0.001 + 10.0 * beats.groups[:, None]
    with config_context(enable_metadata_routing=True):
        sampler = BeatSMOTE(random_state=0, k_neighbors=1).set_fit_resample_request(groups=True)
        result = cross_validate(
            make_pipeline(sampler, Remembering()),
            marked, beats.target,
            cv=GroupKFold(2), params={"groups": beats.groups}, return_estimator=True,
            error_score="raise",
        )  # fmt: skip
    for pipeline in result["estimator"]:
        X = pipeline[-1].seen_
        assert len(X) > 150
        np.testing.assert_allclose(X, 10 * (X / 10).round(), atol=0.1)


class Remembering(KNeighborsClassifier):
    """Keeps the beats that it was given."""

    def fit(self, X, y):
        self.seen_ = X
        return super().fit(X, y)


class Record(Callback):
    """Remember the rows that the net was trained and validated on, also in a copy."""

    sides: list = []  # noqa: RUF012 - shared on purpose: the estimator copies the callback

    def on_epoch_begin(self, net, dataset_train=None, dataset_valid=None, **kwargs):
        self.sides[:] = dataset_train.X, dataset_valid.X


def test_whole_patients_are_held_out_of_resampled_beats(beats):
    marked = beats.data[:, 0] * 0.001 + 10.0 * beats.groups[:, None]
    sampler = BeatSMOTE(random_state=0, k_neighbors=1)
    X, y = sampler.fit_resample(marked, beats.target, groups=beats.groups)
    quick(early_stopping=True, validation_fraction=0.4, callbacks=[Record()]).fit(
        X, y, groups=sampler.carry(beats.groups)
    )
    train, held_out = (set((rows.mean(axis=1) / 10).round()) for rows in Record.sides)
    assert train | held_out == set(range(5))
    assert train
    assert held_out
    assert not train & held_out


def test_what_belongs_to_beats_before_resampling_is_refused_after(beats):
    pipeline = Pipeline([("sampler", BeatOverSampler(random_state=0)), ("net", quick())])
    with pytest.raises(ValueError, match=r"groups has the shape \(300,\), expected \(900,\)"):
        pipeline.fit(beats.data, beats.target, net__groups=beats.groups)


def test_samplers_one_after_another(beats):
    """The rarer classes up, then the frequent one down, as a pipeline of two samplers."""
    rare_up = BeatSMOTE(sampling_strategy={"S": 40, "F": 40, "Q": 40}, random_state=0)
    pipeline = make_pipeline(rare_up, BeatUnderSampler(random_state=0), Remembering())
    pipeline.fit(
        FunctionTransformer(np.ravel).transform(beats.data).reshape(300, -1), beats.target
    )
    assert Counter(pipeline[-1]._y) == dict.fromkeys(range(5), 40)


# --- the leak ----------------------------------------------------------------------------------

#: Noise that says nothing about its class, so that an honest score is 0.5.
NOISE = np.random.default_rng(0).normal(size=(400, 2, 20)).astype(np.float32)
LABELS = np.array(["N"] * 360 + ["V"] * 40)


def flat_knn():
    flatten = FunctionTransformer(lambda X: X.reshape(len(X), -1))
    return make_pipeline(flatten, KNeighborsClassifier(1))


FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


def on_both_sides(sampler) -> int:
    """Of beats that are resampled before the split: test beats whose original is in training."""
    _, y = sampler.fit_resample(NOISE, LABELS)
    origin = sampler.carry(np.arange(len(LABELS)))
    return sum(
        np.isin(origin[test], origin[train]).sum() for train, test in FOLDS.split(origin, y)
    )


@pytest.mark.parametrize(
    ("sampler", "absurd"),
    [
        (BeatOverSampler(random_state=0), 0.9),
        (BeatOverSampler(augment=GaussianNoise(std=0.1), random_state=0), 0.9),
        (BeatSMOTE(random_state=0), 0.65),
    ],
    ids=repr,
)
def test_resampling_before_the_split_leaks_and_in_a_pipeline_does_not(sampler, absurd):
    # 360 beats of class V, and each of the 40 originals about nine times among them.
    assert on_both_sides(clone(sampler)) > 350
    X, y = clone(sampler).fit_resample(NOISE, LABELS)
    figure = "balanced_accuracy"
    wrong = cross_val_score(flat_knn(), X, y, cv=FOLDS, scoring=figure)
    assert wrong.mean() > absurd
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


def test_leaving_out_beats_puts_none_on_both_sides():
    assert on_both_sides(BeatUnderSampler(random_state=0)) == 0
