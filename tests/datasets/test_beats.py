"""The container of beats."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ecgclf.datasets import Beats, make_beats


@pytest.fixture
def beats() -> Beats:
    return make_beats(n_beats=60, n_leads=2, n_patients=3, random_state=0)


def test_frame_has_the_fields_as_columns(beats):
    frame = beats.frame
    assert list(frame.columns[:3]) == ["record", "sample", "lead_0_sample_000"]
    assert frame.columns[-1] == "target"
    np.testing.assert_array_equal(frame["sample"], beats.sample)
    np.testing.assert_array_equal(frame["target"], beats.target)
    np.testing.assert_array_equal(frame["lead_1_sample_083"], beats.data[:, 1, 83])
    np.testing.assert_array_equal(frame[list(beats.rhythm_names)], beats.rhythm)


def test_frame_follows_the_fields(beats):
    beats.sample = beats.sample + 7
    beats["record"] = np.full(60, "other")
    np.testing.assert_array_equal(beats.frame["sample"], beats.sample)
    assert set(beats.frame["record"]) == {"other"}
    with pytest.raises(AttributeError, match="made from the other fields"):
        beats.frame = pd.DataFrame()


def test_frame_of_pandas_fields_keeps_the_index_of_the_selection():
    framed = make_beats(n_beats=60, random_state=0, as_frame=True)
    chosen = framed.select(framed.target == "V")
    assert chosen.frame.index.equals(chosen.data.index)
    pd.testing.assert_frame_equal(chosen.frame, framed.frame[framed.target == "V"])


def test_frame_without_the_unknown_fields():
    frame = Beats(data=np.zeros((3, 2)), target=None, record=None).frame
    assert frame.columns.tolist() == ["sample_000", "sample_001"]


def test_frame_of_no_beats_has_the_columns(beats):
    none = beats.select(slice(0))
    assert len(none.frame) == 0
    assert none.frame.columns.equals(beats.frame.columns)


def test_concat_undoes_select(beats):
    is_first = beats.groups == 0
    both = Beats.concat([beats.select(is_first), beats.select(~is_first)])
    for name in ("data", "target", "groups", "record", "sample", "lead", "rhythm"):
        np.testing.assert_array_equal(both[name], beats[name], strict=True)
    for name in ("rhythm_names", "fs", "fs_record", "target_names", "DESCR"):
        assert both[name] == beats[name]


def test_concat_joins_different_descriptions(beats):
    other = Beats(**{**beats, "DESCR": "Other beats.\n"})
    joined = Beats.concat([beats, other, beats])
    assert joined.DESCR.split(beats.DESCR) == ["", "\nOther beats.\n"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"fs": 99.0}, r"Part 2 has fs 99\.0, but the first part has 120\.0"),
        ({"groups": None}, r"Part 2 has the fields \['target', 'record'"),
    ],
)
def test_concat_refuses_different_forms(beats, change, message):
    with pytest.raises(ValueError, match=message):
        Beats.concat([beats, Beats(**{**beats, **change})])


def test_concat_of_nothing():
    with pytest.raises(ValueError, match="contains no beats"):
        Beats.concat([])
