"""Documentation of the public names."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from numpydoc.docscrape import NumpyDocString

import ecgclf

SUBPACKAGES = [name for name in ecgclf.__all__ if inspect.ismodule(getattr(ecgclf, name))]

PUBLIC = {
    f"{subpackage}.{name}": getattr(getattr(ecgclf, subpackage), name)
    for subpackage in SUBPACKAGES
    for name in getattr(ecgclf, subpackage).__all__
}

#: Those that have a docstring of this package.
DOCUMENTED = {
    name: thing
    for name, thing in PUBLIC.items()
    if (inspect.isclass(thing) or inspect.isfunction(thing))
    and thing.__module__.startswith("ecgclf")
}

#: Results of functions have their example there.
EXAMPLE_OF = {
    "datasets.RecordingSet": "datasets.load_ptbxl",
    "evaluation.BeatReport": "evaluation.beat_report",
    "evaluation.ModelComparison": "evaluation.compare_models",
    "evaluation.EC57Report": "evaluation.ec57_report",
    "evaluation.RecordingReport": "evaluation.recording_report",
    "recordings.AnnotatedRecording": "recordings.annotate_recording",
    "recordings.RhythmReport": "recordings.rhythm_report",
}


def public_methods(thing: type) -> Iterator[Callable]:
    """Methods that a class introduces; those that it overrides are described in its base."""
    for name, member in vars(thing).items():
        is_method = inspect.isfunction(member) or isinstance(member, classmethod | staticmethod)
        introduces = not any(hasattr(base, name) for base in thing.__bases__)
        if is_method and introduces and not name.startswith("_"):
            yield getattr(thing, name)


def described_parameters(docstring: str) -> dict[str, str]:
    """Read the parameters in a numpydoc docstring and their descriptions."""
    parsed = NumpyDocString(inspect.cleandoc(docstring))
    return {
        name.strip(" *"): " ".join(entry.desc).strip()
        for entry in parsed["Parameters"] + parsed["Attributes"]
        for name in entry.name.split(",")
    }


def undescribed_parameters(function: Callable) -> list[str]:
    """Find parameters in the signature that the docstring does not describe in a sentence."""
    described = described_parameters(function.__doc__ or "")
    return [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if name != "self"
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
        and not described.get(name, "").endswith((".", ":", "`"))
    ]


def test_the_public_api_is_small():
    assert 100 < len(PUBLIC) <= 200


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_parameter_is_described(name: str):
    thing: Any = DOCUMENTED[name]
    assert thing.__doc__.strip().splitlines()[0].endswith(".")
    if inspect.isclass(thing) and issubclass(thing, Exception):
        return
    assert undescribed_parameters(thing) == []
    if inspect.isclass(thing):
        undescribed = {
            method.__name__: undescribed_parameters(method) for method in public_methods(thing)
        }
        assert {name: found for name, found in undescribed.items() if found} == {}


def test_an_undescribed_parameter_is_found():
    def function(a, b, c):
        """Compute nothing.

        Parameters
        ----------
        a : int
            First number.
        b : int
        """

    assert undescribed_parameters(function) == ["b", "c"]


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_cited_reference_is_listed_and_every_listed_one_is_cited(name: str):
    thing: Any = DOCUMENTED[name]
    methods = public_methods(thing) if inspect.isclass(thing) else []
    for text in (thing.__doc__, *(method.__doc__ for method in methods)):
        cited = set(re.findall(r"\[(\w+)\]_", text or ""))
        listed = set(re.findall(r"^ *\.\. \[(\w+)\]", text or "", flags=re.MULTILINE))
        assert cited == listed


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_public_name_has_an_example(name: str):
    thing: Any = DOCUMENTED[name]
    if inspect.isclass(thing) and (inspect.isabstract(thing) or issubclass(thing, Exception)):
        return
    shown = DOCUMENTED[EXAMPLE_OF.get(name, name)]
    docstrings = [shown.__doc__]
    if inspect.isclass(shown):
        docstrings += [getattr(member, "__doc__", None) for member in vars(shown).values()]
    assert any(text and re.search(r"Examples\n *-+\n[^-]*>>> ", text) for text in docstrings)
