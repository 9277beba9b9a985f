"""What ``--only`` of the benchmarks selects."""

import pytest

NAMES = ["our small CNN", "10 Fourier network", "7 vanilla RNN", "16 imbalance: SMOTE and ENN"]


@pytest.fixture
def asked_for(monkeypatch, request):
    monkeypatch.syspath_prepend(request.config.rootpath / "benchmarks")
    from _names import asked_for

    return asked_for


@pytest.mark.parametrize(
    ("parts", "found"),
    [
        (None, NAMES),
        (["our"], ["our small CNN"]),
        (["OUR", "7 van"], ["our small CNN", "7 vanilla RNN"]),
        (["16 imbalance: SMOTE"], ["16 imbalance: SMOTE and ENN"]),
    ],
)
def test_names_are_found_by_how_their_words_begin(asked_for, parts, found):
    assert asked_for(NAMES, parts) == found


def test_a_name_that_is_nowhere_ends_the_script_and_says_what_there_is(asked_for):
    with pytest.raises(SystemExit, match=r"begins with ourier.*10 Fourier network"):
        asked_for(NAMES, ["ourier"])
