"""Tests of explore."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from ecgclf.datasets import Beats, load_mitbih, make_beats
from ecgclf.plots import explore

FS = 100.0


@pytest.fixture
def beats():
    """Six beats of 10 samples: a shorter one, a flat one, one with NaN and one of zeros."""
    data = np.tile(np.arange(1.0, 11.0), (6, 1))
    data[1, 6:] = 0  # 60 ms
    data[2, :] = 3  # flat
    data[3, 2] = np.nan
    data[4, :] = 0
    data[5, 3] = 0  # a zero within the beat is not padding
    return Beats(data=data, target=np.array(list("VNNNNV")), groups=[1, 1, 1, 2, 2, 1], fs=FS)


def panels(figure):
    return {panel.get_title(): panel for panel in figure.get_axes()}


def test_tables(beats):
    found = explore(beats)
    np.testing.assert_allclose(found.lengths, [0.1, 0.06, 0.1, 0.1, 0, 0.1])
    assert found.problems["missing"].tolist() == [False, False, False, True, False, False]
    assert found.problems["flat"].tolist() == [False, False, True, False, True, False]
    expected = pd.DataFrame(
        {
            "beats": [4, 2],
            "share": [4 / 6, 2 / 6],
            "patients": [2, 1],
            "shortest": [0, 0.1],
            "median_length": [0.08, 0.1],
            "longest": [0.1, 0.1],
            "minimum": [0.0, 0.0],
            "maximum": [10.0, 10.0],
            "missing": [1, 0],
            "flat": [2, 0],
        },
        index=pd.Index(["N", "V"], name="class"),
    )
    pd.testing.assert_frame_equal(found.summary, expected, check_dtype=False)
    assert found.patients.to_dict() == {"N": {1: 2, 2: 2}, "V": {1: 2, 2: 0}}
    # The mean of a sample that is missing in one beat is that of the others.
    assert found.means["N"][0, 2] == pytest.approx((3 + 3 + 0) / 3)
    assert "6 beats" in repr(found)


def test_flat_and_missing_leads():
    data = np.random.default_rng(0).normal(size=(3, 2, 10))
    data[0, 1] = 0  # only one lead
    data[1, 1] = np.nan  # missing, not flat
    data[2, 0] = 5 + 0.01 * np.arange(10)
    beats = Beats(data=data, target=np.array(["N"] * 3), fs=FS)
    assert explore(beats).problems["flat"].tolist() == [True, False, False]
    assert explore(beats, flat_below=0.1).problems["flat"].tolist() == [True, False, True]


def test_figure(beats):
    found = explore(beats)
    drawn = panels(found.plot(before=0.02))
    counts = drawn["beats of each class"]
    assert [bar.get_height() for bar in counts.patches] == [4, 2]
    assert [label.get_text() for label in counts.get_xticklabels()] == ["N", "V"]
    patients = drawn["beats of each patient"]
    assert [label.get_text() for label in patients.get_xticklabels()] == ["1", "2"]
    stacked = [[bar.get_height() for bar in bars] for bars in patients.containers]
    assert stacked == [[2, 2], [2, 0]]
    assert len({bars[0].get_hatch() for bars in patients.containers}) == 2
    lengths = drawn["lengths without padding"]
    assert sum(bar.get_height() for bar in lengths.patches) == 6
    assert lengths.get_xlabel() == "length (s)"
    missing, flat = drawn["missing and flat"].containers
    assert [[bar.get_height() for bar in bars] for bars in (missing, flat)] == [[1, 0], [2, 0]]
    mean = drawn["N  (n = 4)"].lines[0]
    np.testing.assert_allclose(mean.get_ydata(), found.means["N"][0])
    np.testing.assert_allclose(mean.get_xdata(), np.arange(10) / 100 - 0.02, atol=1e-12)
    assert drawn["N  (n = 4)"].get_xlabel() == "time from R peak (s)"


def test_without_patients(beats):
    found = explore(Beats(data=beats.data[[0, 5]], target=beats.target[[0, 5]], fs=FS))
    assert found.patients is None
    assert "patients" not in found.summary
    assert set(panels(found.plot())) == {"beats of each class", "V  (n = 2)"}


def test_leads_of_a_frame():
    beats = make_beats(n_beats=50, n_leads=2, n_patients=5, random_state=0)
    framed = make_beats(n_beats=50, n_leads=2, n_patients=5, random_state=0, as_frame=True)
    found = explore(framed)
    pd.testing.assert_frame_equal(found.summary, explore(beats).summary)
    assert found.lead_names == ["MLII", "V1"]
    np.testing.assert_allclose(
        found.means["V"], beats.data[beats.target == "V"].mean(axis=0), rtol=1e-5, atol=1e-6
    )
    figure = found.plot()
    assert [panel.get_ylabel() for panel in figure.get_axes()[2::5]] == [
        "MLII, amplitude (mV)",
        "V1, amplitude (mV)",
    ]


def test_many_patients_are_not_labelled():
    beats = make_beats(n_beats=90, n_patients=30, random_state=0)
    panel = panels(explore(beats).plot())["beats of each patient"]
    assert panel.get_xlabel() == "30 patients"
    assert not len(panel.get_xticks())


def test_real_records(mitdb_dir):
    beats = load_mitbih(mitdb_dir, records=["201", "202"])
    found = explore(beats)
    assert found.summary["beats"].sum() == len(beats.target)
    assert found.patients.index.tolist() == [201]  # the same patient
    assert found.summary.loc["N", "maximum"] == beats.data[beats.target == "N"].max()
    plt.close("all")


def test_bad_input(beats):
    with pytest.raises(ValueError, match=r"data of 6 beats and target of shape \(5,\)"):
        explore(Beats(data=beats.data, target=beats.target[1:], fs=FS))
    with pytest.raises(ValueError, match=r"got \(6,\)"):
        explore(Beats(data=np.zeros(6), target=beats.target, fs=FS))
