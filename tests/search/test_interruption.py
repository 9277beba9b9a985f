"""Ctrl-C in searches and cross-validation."""

from __future__ import annotations

import optuna
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback

from ecgclf.search import FloatRange, OptunaSearchCV, SearchSpace
from ecgclf.training import AfterEpoch
from tests.networks import small_mlp


class CtrlC(Callback):
    """Simulate Ctrl-C in the middle of the second epoch."""

    def on_batch_end(self, net, training=None, **kwargs):
        if training and len(net.history) == 2:
            raise KeyboardInterrupt


def interrupted(**params):
    return small_mlp(max_epochs=3, callbacks=[CtrlC()], **params)


@pytest.mark.parametrize(
    "wrap", [lambda model: model, lambda m: make_pipeline(StandardScaler(), m)]
)
def test_scikit_learn(beats, wrap):
    model = wrap(interrupted())
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(model, beats.data, beats.target, cv=2)
    search = GridSearchCV(model, {}, cv=2)
    with pytest.raises(KeyboardInterrupt):
        search.fit(beats.data, beats.target)
    assert not hasattr(search, "best_estimator_")


@pytest.mark.parametrize("pruner", [None, optuna.pruners.NopPruner()])
def test_a_trial_is_not_complete(beats, tmp_path, pruner):
    storage = f"sqlite:///{tmp_path}/study.db"
    space = SearchSpace({"lr": FloatRange(1e-3, 1e-2)})
    options = {"n_trials": 1, "cv": 2, "storage": storage, "study_name": "s", "pruner": pruner}
    with pytest.raises(KeyboardInterrupt):
        OptunaSearchCV(interrupted(), space, **options).fit(beats.data, beats.target)
    (trial,) = optuna.load_study(study_name="s", storage=storage).trials
    assert trial.state == optuna.trial.TrialState.FAIL


def test_ctrl_c_while_an_epoch_is_scored(beats):
    def score(epoch, figures):
        def interrupt():
            raise KeyboardInterrupt

        interrupt()

    model = small_mlp(max_epochs=3, callbacks=[AfterEpoch(score)])
    with pytest.raises(KeyboardInterrupt):
        cross_val_score(model, beats.data, beats.target, cv=2)
