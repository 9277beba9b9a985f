"""Cross-validation and searches on a Dask cluster."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import joblib
import pytest
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, StratifiedGroupKFold, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ecgclf import ECGCNNClassifier
from ecgclf.datasets import make_beats
from ecgclf.search import (
    Choice,
    FloatRange,
    OptunaSearchCV,
    SearchSpace,
    on_dask,
    to_grid,
)
from ecgclf.training import AfterEpoch

distributed = pytest.importorskip("distributed", reason="needs Dask, which is not installed")

SPACE = SearchSpace({"cnn__lr": FloatRange(1e-3, 1e-2, log=True), "cnn__stride": Choice([2, 3])})


# This test comes first because it needs that no client is open.
def test_missing_client_or_dask_raises(monkeypatch):
    with pytest.raises(ValueError, match="No Dask client is open"):
        on_dask().__enter__()
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ImportError, match=r"on_dask needs distributed.*ecgclf\[dask\]"):
        on_dask().__enter__()


@pytest.fixture(scope="module")
def client():
    """Client of two worker processes, which are restarted when they end."""
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(2)
        yield client


@pytest.fixture(scope="module")
def many_beats():
    # joblib does not send arrays and indices of more than 1 kB with each task.
    return make_beats(n_beats=400, n_patients=8, random_state=0)


def pipeline(**kwargs):
    cnn = ECGCNNClassifier(
        filters=(4,), stride=2, max_epochs=2, random_state=0, verbose=0, **kwargs
    )
    return Pipeline([("scale", StandardScaler()), ("cnn", cnn)])


def noting(path: Path, may_go_on: Callable[[list[int]], bool]) -> AfterEpoch:
    """Record the process after every epoch, and wait until `may_go_on` of all records."""
    file = str(path)

    def note(epoch, figures):
        with open(file, "a", encoding="utf-8") as lines:
            lines.write(f"{os.getpid()}\n")
        until = time.monotonic() + 120
        while True:
            with open(file, encoding="utf-8") as lines:
                if may_go_on([int(line) for line in lines.read().split()]):
                    return
            assert time.monotonic() < until
            time.sleep(0.02)

    return AfterEpoch(note)


def processes(path: Path) -> list[int]:
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def grid_search(estimator):
    return GridSearchCV(
        estimator,
        to_grid(SPACE, n_points=2),
        scoring="f1_macro",
        cv=StratifiedGroupKFold(2),
    )


@pytest.fixture(scope="module")
def serial(many_beats):
    beats = many_beats
    return grid_search(pipeline()).fit(beats.data, beats.target, groups=beats.groups)


def test_the_backend_of_joblib_cross_validates(client, many_beats):
    beats = many_beats
    given = (beats.data, beats.target)
    serial = cross_val_score(pipeline(), *given, groups=beats.groups, cv=StratifiedGroupKFold(3))
    with joblib.parallel_config("dask"):
        found = cross_val_score(
            pipeline(), *given, groups=beats.groups, cv=StratifiedGroupKFold(3)
        )
    assert_array_equal(found, serial)


def test_a_search_uses_both_workers(client, many_beats, serial, tmp_path):
    beats = many_beats
    spy = noting(tmp_path / "pids", lambda pids: len(set(pids)) == 2)
    search = grid_search(pipeline(callbacks=[spy])).set_params(refit=False)
    with on_dask(client):
        search.fit(beats.data, beats.target, groups=beats.groups)
    assert_array_equal(
        search.cv_results_["mean_test_score"], serial.cv_results_["mean_test_score"]
    )
    workers = {info["pid"] for info in client.run(lambda: {"pid": os.getpid()}).values()}
    assert set(processes(tmp_path / "pids")) == workers
    assert len(workers) == 2


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system has no SIGKILL")
def test_a_search_survives_the_loss_of_a_worker(client, many_beats, serial, tmp_path):
    beats, path = many_beats, tmp_path / "pids"
    flag, killed = str(tmp_path / "killed"), []

    def kill_one():
        until = time.monotonic() + 120
        while len(pids := processes(path)) < 5 and time.monotonic() < until:
            time.sleep(0.02)
        killed.append(pids[-1])
        os.kill(pids[-1], signal.SIGKILL)
        Path(flag).touch()

    # Fits wait after the fifth epoch until a process has been killed during one of them.
    spy = noting(path, lambda pids: len(pids) < 5 or os.path.exists(flag))
    search = grid_search(pipeline(callbacks=[spy]))
    killer = threading.Thread(target=kill_one)
    killer.start()
    with on_dask(client.scheduler.address):
        search.fit(beats.data, beats.target, groups=beats.groups)
    killer.join()
    # Two epochs of eight fits and the final one, and the repeated fits.
    noted = processes(path)
    assert len(noted) > 2 * 9
    assert killed[0] in noted[:6]
    assert killed[0] not in noted[6:]
    for name, values in serial.cv_results_.items():
        if name.endswith("_test_score"):
            assert_array_equal(search.cv_results_[name], values)
    assert search.best_params_ == serial.best_params_
    assert_array_equal(search.predict_proba(beats.data), serial.predict_proba(beats.data))


def test_workers_share_the_trials_of_a_study(client, beats, tmp_path):
    pytest.importorskip("optuna", reason="needs Optuna, which is not installed")
    search = OptunaSearchCV(
        pipeline(),
        SPACE,
        n_trials=4,
        cv=StratifiedGroupKFold(2),
        storage=f"sqlite:///{tmp_path / 'search.db'}",
        study_name="shared",
        refit=False,
        verbose=0,
        random_state=0,
    )
    running = [
        client.submit(search.fit, beats.data, beats.target, groups=beats.groups, pure=False)
        for _ in range(2)
    ]
    best = {found.best_score_ for found in client.gather(running)}
    again = clone(search).fit(beats.data, beats.target, groups=beats.groups)
    assert len(again.trials_) in (4, 5)
    assert set(again.trials_["state"]) == {"COMPLETE"}
    assert again.best_score_ >= max(best)
