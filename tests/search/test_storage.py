"""Studies in a database, shared by processes and continued after a kill."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from ecgclf.search import FloatRange, IntRange, OptunaSearchCV, SearchSpace

optuna = pytest.importorskip("optuna", reason="needs Optuna, which is not installed")

REPOSITORY = Path(__file__).resolve().parents[2]

#: Program that runs a search. The first fit waits until `wait_for` processes are running.
PROGRAM = """
import os, sys, time
from pathlib import Path
sys.path.insert(0, {here!r})
sys.path.insert(0, {repository!r})
from test_storage import search_in
from sklearn.linear_model import LogisticRegression

class Slow(LogisticRegression):
    def fit(self, X, y):
        with open("pids", "a") as file:
            file.write(f"{{os.getpid()}}\\n")
        until = time.monotonic() + 60
        while len(set(Path("pids").read_text().split())) < {wait_for}:
            assert time.monotonic() < until
            time.sleep(0.02)
        time.sleep({pause})
        return super().fit(X, y)

search_in("sqlite:///search.db", Slow(), n_trials={n_trials}, sampler={sampler!r})
"""


def search_in(storage, estimator, **kwargs):
    X, y = make_classification(n_samples=60, random_state=0)
    space = SearchSpace(
        {"C": FloatRange(1e-3, 1e2, log=True), "max_iter": IntRange(50, 100, step=50)}
    )
    return OptunaSearchCV(
        estimator,
        space,
        cv=StratifiedGroupKFold(2),
        storage=storage,
        study_name="shared",
        n_points=3,
        scoring="accuracy",
        random_state=0,
        refit=False,
        **kwargs,
    ).fit(X, y, groups=[i // 2 for i in range(60)])


def start(folder, n_trials, *, sampler="tpe", wait_for=1, pause=0.0):
    program = PROGRAM.format(
        here=str(Path(__file__).parent),
        repository=str(REPOSITORY),
        n_trials=n_trials,
        sampler=sampler,
        wait_for=wait_for,
        pause=pause,
    )
    return subprocess.Popen([sys.executable, "-c", program], cwd=folder, stderr=subprocess.PIPE)


def finished(url):
    """Return the complete trials of a study, or none if there is no study yet."""
    try:
        trials = optuna.load_study(study_name="shared", storage=url).trials
    except Exception:  # the tables are being created
        return []
    return [trial for trial in trials if trial.state == optuna.trial.TrialState.COMPLETE]


def test_two_processes_share_a_study(tmp_path):
    workers = [start(tmp_path, 8, wait_for=2, pause=0.05) for _ in range(2)]
    for worker in workers:
        _, errors = worker.communicate(timeout=120)
        assert worker.returncode == 0, errors.decode()
    done = finished(f"sqlite:///{tmp_path / 'search.db'}")
    assert 8 <= len(done) <= 9
    assert len({trial.params["C"] for trial in done}) == len(done)
    assert len(set((tmp_path / "pids").read_text().split())) == 2


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
@pytest.mark.parametrize(("sampler", "n_trials"), [("tpe", 7), ("grid", 6)])
def test_a_killed_search_continues(tmp_path, sampler, n_trials):
    url = f"sqlite:///{tmp_path / 'search.db'}"
    worker = start(tmp_path, n_trials, sampler=sampler, pause=0.3)
    until = time.monotonic() + 60
    while len(before := finished(url)) < 2:
        assert worker.poll() is None, worker.communicate()[1].decode()
        assert time.monotonic() < until
        time.sleep(0.05)
    worker.send_signal(signal.SIGKILL)
    worker.communicate(timeout=60)
    assert len(before := finished(url)) < n_trials

    search = search_in(url, LogisticRegression(), n_trials=n_trials, sampler=sampler)
    done = finished(url)
    assert len(done) == n_trials
    assert [t.params for t in done[: len(before)]] == [t.params for t in before]
    assert (search.trials_["state"] == "COMPLETE").sum() == n_trials
    assert search.best_score_ == max(trial.value for trial in done)
    if sampler == "grid":
        cells = {(round(t.params["C"], 9), t.params["max_iter"]) for t in done}
        assert len(cells) == n_trials

    # Another call runs no trial.
    again = search_in(url, LogisticRegression(), n_trials=n_trials, sampler=sampler)
    assert len(again.trials_) == len(search.trials_)


@pytest.mark.filterwarnings("ignore:Argument ``heartbeat_interval``")
def test_a_trial_of_a_dead_process_is_repeated(tmp_path, monkeypatch):
    monkeypatch.setattr("ecgclf.search._study.HEARTBEAT", 1)
    url = f"sqlite:///{tmp_path / 'search.db'}"
    search_in(url, LogisticRegression(), n_trials=1)
    # A trial with one heartbeat that never ends.
    study = optuna.load_study(study_name="shared", storage=url)
    dead = study.ask({"C": optuna.distributions.FloatDistribution(1e-3, 1e2, log=True)})
    optuna.storages.RDBStorage(url, heartbeat_interval=1).record_heartbeat(dead._trial_id)
    time.sleep(3)
    search = search_in(url, LogisticRegression(), n_trials=3)
    states = search.trials_["state"].tolist()
    assert states == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert dead.params["C"] in search.trials_["param_C"].tolist()[2:]
