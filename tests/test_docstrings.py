"""Inheritance of parameter descriptions."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from numpydoc.docscrape import NumpyDocString

from ecgclf._docstrings import InheritedParameterDocs, parameters_from


@dataclass(kw_only=True)
class Base(InheritedParameterDocs):
    """Base class.

    Parameters
    ----------
    lr : float, default=0.1
        Learning rate.

        A second paragraph.
    n_jobs, n_devices : int, default=1
        Numbers of workers.

    Attributes
    ----------
    net_ : object
        The network.
    """

    lr: float = 0.1
    n_jobs: int = 1
    n_devices: int = 1

    def fit(self, X: object, y: object = None) -> None:
        """Fit.

        Parameters
        ----------
        X : array-like
            Beats.
        y : array-like
            Labels.
        """


@dataclass(kw_only=True)
class Network(Base):
    """Network class.

    Parameters
    ----------
    filters : int, default=8
        Number of filters.
    lr : float, default=0.2
        Another learning rate.

    Notes
    -----
    A note.
    """

    filters: int = 8
    lr: float = 0.2

    def fit(self, X: object, y: object = None) -> None:
        """Fit the network.

        Parameters
        ----------
        y : array-like
            Labels or indicators.

        Raises
        ------
        ValueError
            If `X` is empty.
        """


@dataclass(kw_only=True)
class Deeper(Network):
    """Deeper network."""


@dataclass(kw_only=True)
class Slower(Network):
    """Network with other defaults."""

    lr: float = 1e-3
    n_jobs: int = 4


class SlowerStill(Slower):
    """Network that changes no default."""


class Fixed(Network):
    """Network with another constructor.

    Examples
    --------
    >>> 1
    1
    """

    def __init__(self, filters: int = 8) -> None:
        super().__init__(filters=filters)


def entries(cls: type, section: str) -> dict[str, str]:
    """Read a section with numpydoc, by the names of its entries."""
    return {entry.name: " ".join(entry.desc) for entry in NumpyDocString(cls.__doc__)[section]}


def test_own_entries_come_first_and_inherited_ones_follow():
    described = entries(Network, "Parameters")
    assert list(described) == ["filters", "lr", "n_jobs, n_devices"]
    assert described["lr"] == "Another learning rate."
    assert list(entries(Network, "Attributes")) == ["net_"]
    assert "A note." in Network.__doc__


def test_entries_are_inherited_over_several_classes_with_all_their_paragraphs():
    assert entries(Deeper, "Parameters") == entries(Network, "Parameters")
    assert list(entries(Deeper, "Parameters")) == ["filters", "lr", "n_jobs, n_devices"]
    assert entries(Base, "Parameters")["lr"] == "Learning rate.  A second paragraph."
    assert Deeper.__doc__.startswith("Deeper network.\n")


@pytest.mark.parametrize("cls", [Slower, SlowerStill])
def test_an_inherited_entry_shows_the_default_of_the_subclass(cls):
    assert "lr : float, default=0.001\n    Another learning rate." in cls.__doc__
    assert "n_jobs, n_devices : int, default=4, 1\n" in cls.__doc__
    assert "filters : int, default=8\n" in cls.__doc__
    assert "default=0.2\n" in Network.__doc__


def test_a_parameter_that_a_subclass_does_not_take_is_not_inherited():
    assert list(entries(Fixed, "Parameters")) == ["filters"]
    assert ">>> 1" in Fixed.__doc__


def test_a_method_inherits_descriptions_from_the_one_it_overrides():
    described = NumpyDocString(Network.fit.__doc__)
    assert [(entry.name, entry.desc) for entry in described["Parameters"]] == [
        ("X", ["Beats."]),
        ("y", ["Labels or indicators."]),
    ]
    assert described["Raises"][0].type == "ValueError"
    assert Deeper.fit is Network.fit


def read(path, *, records="all", fs=None):
    """Read.

    Parameters
    ----------
    path : str
        Folder.
    records : str
        Names.
    fs : float
        Rate.
    """


def test_a_function_takes_descriptions_from_others_in_the_order_of_its_signature():
    @parameters_from(read, Network)
    def read_some(path, lr, *, fs=None):
        """Read some.

        Parameters
        ----------
        path : str
            Folder of some.

        Returns
        -------
        None
        """

    described = NumpyDocString(read_some.__doc__)
    assert [(entry.name, entry.desc) for entry in described["Parameters"]] == [
        ("path", ["Folder of some."]),
        ("lr", ["Another learning rate."]),
        ("fs", ["Rate."]),
    ]
    assert described["Returns"][0].type == "None"


def test_the_first_source_with_an_entry_is_used():
    @parameters_from(Base, Network)
    def measure(lr):
        """Measure."""

    assert "Learning rate.\n\n    A second paragraph." in measure.__doc__
    assert "Another" not in measure.__doc__
    assert "default=0.1" in measure.__doc__


def test_a_function_without_docstring_is_left_alone():
    @parameters_from(read)
    def silent(path): ...

    assert silent.__doc__ is None
