"""Search with Optuna compared with cross-validation and grid search of scikit-learn."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import make_classification
from sklearn.exceptions import FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    GroupShuffleSplit,
    StratifiedGroupKFold,
    cross_val_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier, ECGMLPClassifier
from ecgclf.search import Choice, FloatRange, IntRange, OptunaSearchCV, SearchSpace

optuna = pytest.importorskip("optuna", reason="needs Optuna, which is not installed")

X, Y = make_classification(n_samples=120, n_informative=4, flip_y=0.2, random_state=0)
GROUPS = np.arange(120) % 6
C = SearchSpace({"C": FloatRange(1e-3, 1e2, log=True)})


def quick(**kwargs):
    kwargs = {"n_trials": 6, "cv": StratifiedGroupKFold(3), "random_state": 0} | kwargs
    return OptunaSearchCV(LogisticRegression(), kwargs.pop("space", C), **kwargs)


def params_of(search):
    frame = search.trials_
    return frame[[name for name in frame if name.startswith("param_")]].to_numpy().tolist()


def test_scores_equal_those_of_cross_validation():
    search = quick(scoring="f1_macro").fit(X, Y, groups=GROUPS)
    for _, trial in search.trials_.iterrows():
        scores = cross_val_score(
            LogisticRegression(C=trial["param_C"]),
            X,
            Y,
            groups=GROUPS,
            cv=StratifiedGroupKFold(3),
            scoring="f1_macro",
        )
        assert_allclose([trial[f"split{i}_test_score"] for i in range(3)], scores)
        assert trial["mean_test_score"] == pytest.approx(scores.mean())
        assert trial["std_test_score"] == pytest.approx(scores.std())
    assert search.best_score_ == search.trials_["mean_test_score"].max()
    best = LogisticRegression(**search.best_params_).fit(X, Y)
    assert_array_equal(search.predict_proba(X), best.predict_proba(X))
    assert_array_equal(search.classes_, [0, 1])


def test_the_grid_equals_that_of_grid_search():
    space = SearchSpace({"C": Choice([0.01, 1.0]), "max_iter": IntRange(50, 150, step=50)})
    search = quick(space=space, sampler="grid", n_trials=100).fit(X, Y, groups=GROUPS)
    grid = GridSearchCV(
        LogisticRegression(),
        {"C": [0.01, 1.0], "max_iter": [50, 100, 150]},
        cv=StratifiedGroupKFold(3),
    ).fit(X, Y, groups=GROUPS)
    assert sorted(map(tuple, params_of(search))) == sorted(
        (p["C"], p["max_iter"]) for p in grid.cv_results_["params"]
    )
    assert search.best_score_ == pytest.approx(grid.best_score_)


def test_groups_are_passed_to_the_splitter_and_routed_to_fit():
    import sklearn

    beats_seen = []

    class Spy(LogisticRegression):
        def fit(self, X, y, groups=None):
            beats_seen.append(None if groups is None else len(groups))
            return super().fit(X, y)

    with sklearn.config_context(enable_metadata_routing=True):
        spy = Spy().set_fit_request(groups=True)
        search = OptunaSearchCV(spy, C, n_trials=1, cv=StratifiedGroupKFold(3), random_state=0)
        search.fit(X, Y, groups=GROUPS)
    assert beats_seen == [80, 80, 80, 120]


@pytest.mark.parametrize("calls", [[12], [3, 11, 12]])
def test_a_seed_gives_the_same_trials_in_one_call_or_several(calls):
    # After ten random trials, suggestions of TPE depend on the previous trials.
    storage = optuna.storages.InMemoryStorage()
    for n_trials in calls:
        search = quick(n_trials=n_trials, storage=storage, study_name="continued").fit(
            X, Y, groups=GROUPS
        )
    assert len(search.trials_) == 12
    whole = quick(n_trials=12).fit(X, Y, groups=GROUPS)
    assert params_of(search) == params_of(whole)
    assert search.best_params_ == whole.best_params_
    assert params_of(quick(n_trials=12, random_state=1).fit(X, Y, groups=GROUPS)) != params_of(
        whole
    )


def test_the_global_random_state_is_unchanged():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    quick(n_trials=12).fit(X, Y, groups=GROUPS)
    assert_array_equal(before, np.random.get_state()[1])  # noqa: NPY002


def test_a_network_in_a_pipeline_is_searched_by_patients(beats):
    pipeline = Pipeline(
        [("scale", StandardScaler()), ("cnn", ECGCNNClassifier(max_epochs=1, random_state=0))]
    )
    space = SearchSpace(
        {"cnn__filters": Choice([[4], [4, 8]]), "cnn__stride": Choice([2])},
    )
    search = OptunaSearchCV(
        pipeline, space, n_trials=2, cv=StratifiedGroupKFold(2), random_state=0
    ).fit(beats.data, beats.target, groups=beats.groups)
    assert search.best_params_["cnn__filters"] in [(4,), (4, 8)]
    assert search.best_estimator_["cnn"].filters == search.best_params_["cnn__filters"]
    assert clone(search).space == space


# --- pruning ---------------------------------------------------------------------------------


class PruneAt(optuna.pruners.BasePruner if hasattr(optuna, "pruners") else object):
    """Prunes the trials with some numbers after an epoch."""

    def __init__(self, epoch, trials):
        self.epoch = epoch
        self.trials = trials

    def prune(self, study, trial):
        return trial.number in self.trials and trial.last_step == self.epoch


def pruned_search(beats, pruner, **kwargs):
    pipeline = Pipeline(
        [
            ("scale", StandardScaler()),
            ("mlp", ECGMLPClassifier(dense=(8,), max_epochs=4, random_state=0)),
        ]
    )
    return OptunaSearchCV(
        pipeline,
        SearchSpace({"mlp__lr": FloatRange(1e-4, 1e-2, log=True)}),
        n_trials=3,
        cv=GroupShuffleSplit(2, random_state=0),
        pruner=pruner,
        random_state=0,
        **kwargs,
    ).fit(beats.data, beats.target, groups=beats.groups)


def test_a_trial_is_pruned_after_the_epoch_that_the_pruner_selects(beats):
    search = pruned_search(beats, PruneAt(2, trials=[1]))
    assert search.trials_["state"].tolist() == ["COMPLETE", "PRUNED", "COMPLETE"]
    told = [sorted(trial.intermediate_values) for trial in search.study_.trials]
    assert told == [[1, 2, 3, 4], [1, 2], [1, 2, 3, 4]]


def test_reporting_epochs_does_not_change_scores(beats):
    watched = pruned_search(beats, optuna.pruners.NopPruner())
    alone = pruned_search(beats, None)
    assert not alone.study_.trials[0].intermediate_values
    columns = ["param_mlp__lr", "split0_test_score", "split1_test_score"]
    assert watched.trials_[columns].equals(alone.trials_[columns])
    # The last reported score is that of the fold, as this network has no batch norms, which
    # change at the end of training.
    for trial, score in zip(watched.study_.trials, watched.trials_["split0_test_score"]):
        assert trial.intermediate_values[4] == score
    assert watched.best_estimator_["mlp"].callbacks is None


def test_pruning_needs_an_estimator_with_callbacks():
    with pytest.raises(TypeError, match="LogisticRegression has no parameter 'callbacks'"):
        quick(pruner=optuna.pruners.MedianPruner()).fit(X, Y, groups=GROUPS)


# --- failures ----------------------------------------------------------------------------------


def test_failing_trials_are_reported():
    space = SearchSpace({"C": Choice([-1.0, 1.0])})
    search = quick(space=space, sampler="grid", n_trials=2)
    with pytest.warns(FitFailedWarning, match=r"with \{'C': -1.0\} failed: The 'C' parameter"):
        search.fit(X, Y, groups=GROUPS)
    assert sorted(search.trials_["state"]) == ["COMPLETE", "FAIL"]
    assert search.best_params_ == {"C": 1.0}
    with pytest.raises(ValueError, match="The 'C' parameter"):
        search.set_params(error_score="raise").fit(X, Y, groups=GROUPS)
    hopeless = quick(space=SearchSpace({"C": FloatRange(-2.0, -1.0)}), n_trials=3)
    with (
        pytest.warns(FitFailedWarning),
        pytest.raises(ValueError, match="None of the 3 trials is complete"),
    ):
        hopeless.fit(X, Y, groups=GROUPS)


def test_an_unknown_parameter_is_reported():
    with pytest.raises(
        ValueError, match=r"'lr', which is not a parameter of LogisticRegression. .*C"
    ):
        quick(space=SearchSpace({"lr": Choice([1])})).fit(X, Y, groups=GROUPS)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"space": SearchSpace({"C": FloatRange(1e-3, 1.0)})}, "space"),
        ({"scoring": "f1_macro"}, "scoring"),
        ({"cv": StratifiedGroupKFold(2)}, "beats and splits"),
    ],
)
def test_a_study_with_a_different_search_is_rejected(change, named):
    storage = optuna.storages.InMemoryStorage()
    kept = {"storage": storage, "study_name": "mine", "n_trials": 1}
    quick(**kept).fit(X, Y, groups=GROUPS)
    quick(**kept).fit(X, Y, groups=GROUPS)
    with pytest.raises(ValueError, match=f"study 'mine' was created with different {named}"):
        quick(**(kept | change)).fit(X, Y, groups=GROUPS)


def test_missing_optuna_is_reported(monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(ImportError, match=r"OptunaSearchCV needs optuna.*ecgclf\[search\]"):
        quick().fit(X, Y, groups=GROUPS)


def test_the_log_level_of_optuna_is_restored(capfd):
    before = optuna.logging.get_verbosity()
    quick(n_trials=2).fit(X, Y, groups=GROUPS)
    assert optuna.logging.get_verbosity() == before
    assert capfd.readouterr().err == ""
