"""Annotation of many recordings."""

from __future__ import annotations

import shutil

import distributed
import pandas as pd
import pytest

from ecgclf import annotate_recording
from ecgclf.datasets import make_record
from ecgclf.recordings import annotate_recordings
from ecgclf.search import on_dask


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three recordings, one of which has lost its signal."""
    folder = tmp_path_factory.mktemp("many")
    for seed, name in enumerate(["anna", "bert", "carl"]):
        make_record(folder, name, duration=20, random_state=seed)
    (folder / "bert.dat").unlink()
    return folder


def check(done, folder, output, model):
    """Two recordings have their files, as if they were annotated alone."""
    assert done["status"].tolist() == ["done", "failed", "done"]
    assert "bert.dat" in done["message"][1]
    assert sorted(file.name for file in output.iterdir()) == ["anna.csv", "carl.csv"]
    expected = annotate_recording(folder / "carl", model).beats
    found = pd.read_csv(output / "carl.csv")
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, atol=1e-3)


def test_a_broken_recording_does_not_end_the_others(folder, model, tmp_path):
    done = annotate_recordings([folder], tmp_path / "out", model, formats=["csv"], n_jobs=2)
    check(done, folder, tmp_path / "out", model)


def test_a_dask_cluster_annotates_the_same(folder, model, tmp_path):
    cluster = distributed.Client(processes=False, n_workers=1, dashboard_address=":0")
    with cluster as client, on_dask(client):
        done = annotate_recordings([folder], tmp_path / "out", model, formats=["csv"])
    check(done, folder, tmp_path / "out", model)


def test_a_run_is_completed(folder, model, tmp_path):
    paths = [folder / "anna", folder / "carl.hea"]
    annotate_recordings(paths[:1], tmp_path, model)
    (tmp_path / "anna.json").unlink()
    assert annotate_recordings(paths, tmp_path, model)["status"].tolist() == ["done", "done"]
    assert annotate_recordings(paths, tmp_path, model)["status"].tolist() == ["skipped"] * 2
    again = annotate_recordings(paths[:1], tmp_path, model, overwrite=True, start=5)
    assert again["status"].tolist() == ["done"]
    assert pd.read_csv(tmp_path / "anna.csv")["time"].min() > 5


def test_names_must_differ(folder, model, tmp_path):
    shutil.copytree(folder, tmp_path / "copy")
    with pytest.raises(ValueError, match="Several recordings have the name anna, bert, carl"):
        annotate_recordings([folder, tmp_path / "copy"], tmp_path, model)
    with pytest.raises(ValueError, match="one file, but there are 3 recordings"):
        annotate_recordings([folder], tmp_path, model, report=tmp_path / "report.html")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="There are no recordings"):
        annotate_recordings([tmp_path / "empty"], tmp_path, model)
