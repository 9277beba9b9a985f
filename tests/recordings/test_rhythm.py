"""Rhythm of hand-made sequences of beats, and properties that hold for any sequence."""

from __future__ import annotations

import json
import warnings
from datetime import datetime
from itertools import groupby

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ecgclf.recordings import rhythm_report

FS = 250


def report_of(labels: str, rr_s: float = 0.8, **options):
    """Report on beats at equal distances."""
    sample = (np.arange(len(labels)) * rr_s * FS + FS).astype(int)
    return rhythm_report(sample, list(labels), FS, **options)


def kinds(report) -> list[str]:
    return (report.episodes["label"] + " " + report.episodes["kind"]).tolist()


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ("NNVNN", []),
        ("NVVN", ["V couplet"]),
        ("SSSN", ["S run"]),
        ("NVVVVSSN", ["V run", "S couplet"]),
        ("VNVN", []),
        ("VNVNV", ["V bigeminy"]),
        ("NVNNVNNVN", ["V trigeminy"]),
        ("SNNSNNSNNNS", ["S trigeminy"]),
        ("VNVNVNNVNNV", ["V bigeminy", "V trigeminy"]),
        ("VFVFV", []),
        ("VSVSV", []),
        ("VNVVNV", ["V couplet"]),
        ("VQVQV", []),
    ],
)
def test_episodes_of_a_sequence(labels, expected):
    assert kinds(report_of(labels)) == expected


def test_length_rate_and_place_of_a_run():
    run = report_of("NNVVVVN", rr_s=0.5).episodes.iloc[0]
    assert (run["beats"], run["first"], run["last"]) == (4, 2, 5)
    assert (run["time_s"], run["duration_s"], run["rate"]) == (2.0, 1.5, 120.0)


def test_counts_of_a_class():
    summary = report_of("NVNVVNVVVNVVVVVNS", stop=3600 * FS).summary
    assert {name: summary["V"][name] for name in ("count", "singles", "couplets", "runs")} == {
        "count": 11,
        "singles": 1,
        "couplets": 1,
        "runs": 2,
    }
    assert (summary["V"]["beats_in_runs"], summary["V"]["longest_run"]) == (8, 5)
    assert summary["V"]["burden_percent"] == pytest.approx(100 * 11 / 17)
    assert summary["S"]["per_hour"] == pytest.approx(1)


def test_nothing_spans_an_unreadable_stretch():
    sample = np.array([0, 1, 2, 10, 11, 12]) * FS
    unreadable = [[3 * FS, 9 * FS]]
    report = rhythm_report(sample, list("NVVVVN"), FS, unreadable=unreadable)
    assert kinds(report) == ["V couplet", "V couplet"]
    assert report.rr["first"].tolist() == [0, 1, 3, 4]
    assert report.summary["unreadable_s"] == 6
    assert report.summary["heart_rate"]["mean"] == pytest.approx(60)


def test_beats_in_an_unreadable_stretch_do_not_count():
    report = rhythm_report(
        [0, 100, 200, 300, 400, 500], list("NNVVVN"), 100, unreadable=[[50, 150]]
    )
    assert report.summary["beats"]["N"] == 2
    assert report.episodes[["first", "last"]].to_numpy().tolist() == [[2, 4]]


def test_the_ten_longest_pauses():
    gaps = np.array([1.0, 2.0, *np.arange(2.1, 3.3, 0.1)])
    sample = np.concatenate([[0], np.cumsum(gaps)]) * 100
    pauses = rhythm_report(sample.round(), ["N"] * len(sample), 100).summary["pauses"]
    assert pauses["count"] == 12
    lengths = [pause["duration_s"] for pause in pauses["longest"]]
    assert lengths == pytest.approx(np.arange(3.2, 2.25, -0.1))


def test_heart_rate_over_one_minute():
    # Ten minutes at 60 per minute, two at 120, and one at 40.
    rr = np.repeat([1.0, 0.5, 1.5], [600, 240, 40])
    sample = np.concatenate([[0], np.cumsum(rr)]) * FS
    report = rhythm_report(sample, ["N"] * len(sample), FS)
    rate = report.summary["heart_rate"]
    assert rate["mean"] == pytest.approx(60 * 880 / 780)
    assert (rate["highest"], rate["lowest"]) == (pytest.approx(120), pytest.approx(40))
    # The interval that ends at 600 s began before the minute that ends at 659.5 s.
    assert (rate["highest_s"], rate["lowest_s"]) == (659.5, 780)


def test_hours_of_the_clock():
    sample = np.arange(0, 2 * 3600) * 100
    hours = rhythm_report(
        sample, ["N"] * len(sample), 100, clock=datetime(2024, 1, 1, 22, 45)
    ).hours
    assert hours.index.tolist() == [0, 900, 4500]
    assert hours["beats"].tolist() == [900, 3600, 2700]


def test_variability_of_a_small_example():
    # NN intervals of 800, 860, 820 and, after the V beat, 800 ms.
    sample = np.cumsum([0, 800, 860, 820, 500, 1100, 800])
    hrv = rhythm_report(sample, list("NNNNVNN"), 1000).summary["hrv"]
    assert hrv["nn_intervals"] == 4
    assert hrv["sdnn_ms"] == pytest.approx(np.std([800, 860, 820, 800], ddof=1))
    assert hrv["rmssd_ms"] == pytest.approx(np.sqrt((60**2 + 40**2) / 2))
    assert hrv["pnn50_percent"] == pytest.approx(100 * 1 / 4)


@pytest.mark.parametrize("seed", range(5))
def test_variability_equals_that_of_neurokit(seed):
    neurokit = pytest.importorskip("neurokit2", reason="needs neurokit2, which is not installed")
    rng = np.random.default_rng(seed)
    sample = np.cumsum(rng.normal(0.8, 0.05, size=400) * 1000).astype(int)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = neurokit.hrv_time({"RRI": np.diff(sample), "RRI_Time": sample[1:] / 1000})
    ours = rhythm_report(sample, ["N"] * 400, 1000).summary["hrv"]
    assert ours["sdnn_ms"] == pytest.approx(theirs["HRV_SDNN"][0])
    assert ours["rmssd_ms"] == pytest.approx(theirs["HRV_RMSSD"][0])
    assert ours["pnn50_percent"] == pytest.approx(theirs["HRV_pNN50"][0])


@st.composite
def recordings(draw):
    """Arguments: beats of any classes at any distances, and unreadable stretches."""
    labels = draw(st.lists(st.sampled_from("NNNSSVVFQ"), max_size=80))
    steps = draw(st.lists(st.integers(10, 900), min_size=len(labels), max_size=len(labels)))
    ends = sorted(set(draw(st.lists(st.integers(0, 20_000), max_size=8))))
    return {
        "sample": np.cumsum(steps, dtype=int),
        "label": labels,
        "fs": 100,
        "stop": sum(steps) + draw(st.integers(1, 5000)),
        "unreadable": np.array(ends[: len(ends) // 2 * 2], dtype=int).reshape(-1, 2),
        "clock": datetime(2024, 1, 1, 0, draw(st.integers(0, 59))),
    }


@settings(deadline=None, max_examples=30)
@given(recordings())
def test_every_ectopic_beat_is_single_or_in_a_couplet_or_run(arguments):
    report = rhythm_report(**arguments)
    for name in "SV":
        of_class = report.summary[name]
        assert of_class["count"] == report.summary["beats"][name]
        in_groups = 2 * of_class["couplets"] + of_class["beats_in_runs"]
        assert of_class["singles"] + in_groups == of_class["count"]
        assert of_class["singles"] >= 0


@settings(deadline=None, max_examples=30)
@given(recordings())
def test_hours_add_up(arguments):
    report = rhythm_report(**arguments)
    summary = report.summary
    assert report.hours["beats"].sum() == summary["beats"]["all"]
    assert report.hours["pauses"].sum() == summary["pauses"]["count"]
    assert report.hours["analysed_s"].sum() == pytest.approx(summary["analysed_s"])
    for name in "SV":
        assert report.hours[name].sum() == summary[name]["count"]
        assert report.hours[f"{name}_runs"].sum() == summary[name]["runs"]
    assert summary["analysed_s"] + summary["unreadable_s"] == pytest.approx(summary["duration_s"])
    json.dumps(summary, allow_nan=False)


@settings(deadline=None, max_examples=30)
@given(st.text("NSV", max_size=60))
def test_groups_are_those_of_itertools(labels):
    found = report_of(labels).episodes
    groups = [(name, len(list(group))) for name, group in groupby(labels) if name != "N"]
    expected = [(name, size) for name, size in groups if size > 1]
    of_kind = found[found["kind"].isin(["couplet", "run"])]
    assert list(zip(of_kind["label"], of_kind["beats"])) == expected


@pytest.mark.parametrize(
    ("sample", "label", "options", "message"),
    [
        ([5, 5], "NN", {}, "increasing"),
        ([5, 8], "NN", {"start": 6}, "from start=6"),
        ([5, 8], "NN", {"stop": 8}, "to stop=8"),
        ([5, 8], "NX", {}, "X"),
        ([5, 8], "N", {}, "sample"),
        ([5, 8], "NN", {"fs": 0}, "fs=0"),
    ],
)
def test_wrong_input(sample, label, options, message):
    with pytest.raises(ValueError, match=message):
        rhythm_report(sample, list(label), **{"fs": FS, **options})
