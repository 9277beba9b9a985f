"""Reading numbers of 24 bytes, against numpy and Python."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ecgclf.datasets._csv import read_heartbeat_csv
from ecgclf.datasets._printed_floats import read_printed_floats

some = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
singles = st.floats(0, allow_infinity=False, width=32, allow_subnormal=False).map(abs)


def written(folder: Path, text: str) -> Path:
    file = folder / "numbers.csv"
    file.write_bytes(text.encode())
    return file


def printed(table: np.ndarray) -> str:
    return "".join(",".join(f"{value:.18e}" for value in row) + "\n" for row in table)


@some
@given(values=st.lists(singles, min_size=6, max_size=300))
def test_every_single_comes_back_to_the_bit(tmp_path, values):
    table = np.resize(np.array(values, dtype=np.float32), (len(values) // 3, 3))
    found = read_printed_floats(written(tmp_path, printed(table)), 3)
    np.testing.assert_array_equal(found, table)


@some
@given(values=st.lists(st.floats(1e-30, 1e30), min_size=4, max_size=40))
def test_doubles_are_rounded(tmp_path, values):
    table = np.array(values)[:, np.newaxis]
    found = read_printed_floats(written(tmp_path, printed(table)), 1)
    np.testing.assert_allclose(found, table, rtol=2**-24 * 1.001)


def test_more_rows_than_are_worked_on_at_once(tmp_path):
    table = np.random.default_rng(0).random((257, 7), dtype=np.float32)
    file = written(tmp_path, printed(table))
    np.testing.assert_array_equal(read_printed_floats(file, 7), table)


GOOD = "1.234567890123456789e-01,2.000000000000000000e+00\n"


def test_the_form_as_such(tmp_path):
    found = read_printed_floats(written(tmp_path, GOOD), 2)
    np.testing.assert_array_equal(found, np.array([[0.12345679, 2]], dtype=np.float32))


@pytest.mark.parametrize("place", range(len(GOOD)))
@pytest.mark.parametrize("other", [" ", "x", "/", ":", "\xff"])
def test_any_byte_that_does_not_belong_is_seen(tmp_path, place, other):
    file = tmp_path / "numbers.csv"
    text = GOOD[:place] + other + GOOD[place + 1 :]
    file.write_bytes(text.encode("latin-1"))
    assert read_printed_floats(file, 2) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        GOOD[:-1],
        GOOD + "\n",
        GOOD.replace("\n", "\r\n"),
        GOOD.replace(",", "\n"),
        "-1.234567890123456789e-01,2.000000000000000000e+00\n",
        "1.5,2.0\n",
        "1.234567890123456789e-01\n",
    ],
)
def test_other_forms_are_left_to_others(tmp_path, text):
    assert read_printed_floats(written(tmp_path, text), 2) is None


def test_the_same_rows_as_from_any_other_csv(tmp_path):
    rng = np.random.default_rng(0)
    table = np.column_stack([rng.random((40, 187), dtype=np.float32), np.arange(40) % 5])
    found = read_heartbeat_csv(written(tmp_path, printed(table)), range(5))
    other = written(tmp_path, "".join(",".join(map(repr, r)) + "\n" for r in table.tolist()))
    expected = read_heartbeat_csv(other, range(5))
    np.testing.assert_array_equal(found[0], expected[0])
    np.testing.assert_array_equal(found[1], expected[1])


@pytest.mark.parametrize("value", [9e38, 7e99])
def test_what_no_single_can_hold_is_refused(tmp_path, value):
    table = np.zeros((3, 188))
    table[1, 4] = value
    with pytest.raises(ValueError, match=r"numbers\.csv"):
        read_heartbeat_csv(written(tmp_path, printed(table)), range(5))
