"""Classes whose fields are their parameters."""

from __future__ import annotations

import inspect
from dataclasses import KW_ONLY, dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
import pytest
import torch
from numpydoc.docscrape import NumpyDocString
from sklearn.base import BaseEstimator, clone
from sklearn.utils._param_validation import Interval, InvalidParameterError

from ecgclf._parameters import KeywordParameterized, Parameterized, PositiveFloat, PositiveInt
from ecgclf.augmentation import RandomAugmentation
from ecgclf.transforms import BandpassFilter, BeatTransformer

if TYPE_CHECKING:
    from decimal import Decimal

BEATS = np.linspace(-3, 3, 40).reshape(2, 20)


class Filter(Parameterized, BaseEstimator):
    """Filter.

    Parameters
    ----------
    fs : float
        Sampling rate.
    order : int, default=2
        Order.
    """

    fs: PositiveFloat
    order: PositiveInt | None = 2
    _: KW_ONLY
    kind: Literal["low", "high"] = "low"
    share: float = 0.5
    unit: Decimal | None = None
    n: int = 1

    _parameter_constraints: ClassVar[dict] = {"n": [Interval(Integral, 0, 3, closed="both")]}


class Narrow(Filter):
    """Narrow filter."""

    order: PositiveInt = 3
    _: KW_ONLY
    share: Annotated[float, Interval(Integral, 0, 1, closed="both")] = 1
    n: int = 2


class Keywords(KeywordParameterized, BaseEstimator):
    """Class with keyword parameters only."""

    p: float = 0.5


class Required(Keywords):
    """Class with a required parameter after one with a default."""

    fs: PositiveFloat


def test_signatures_are_those_of_dataclasses():
    assert str(inspect.signature(Narrow)).startswith(
        "(fs: 'PositiveFloat', order: 'PositiveInt' = 3, *, kind: "
    )
    assert (
        str(inspect.signature(Required)) == "(*, p: 'float' = 0.5, fs: 'PositiveFloat') -> None"
    )
    assert repr(clone(Narrow(360, 1, n=0))) == "Narrow(fs=360, n=0, order=1)"


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"fs": 0.0}, "fs"),
        ({"order": None}, "order"),
        ({"kind": "both"}, "kind"),
        ({"share": 0.5}, "share"),
        ({"n": 4}, "n"),
    ],
)
def test_constraints_come_from_the_class_or_its_bases(params, name):
    values = {"fs": 360, "unit": "not checked", **params}
    Filter(**{"fs": 360, "order": None, "share": "not checked", "unit": 3})._validate_params()
    with pytest.raises(InvalidParameterError, match=f"'{name}' parameter of Narrow must be"):
        Narrow(**values)._validate_params()


def test_only_parameters_have_constraints():
    class Fixed(Filter):
        def __init__(self, order: int = 2) -> None:
            super().__init__(360, order)

    assert list(Fixed._parameter_constraints) == ["order"]


def test_a_class_without_docstring_describes_its_parameters():
    class Silent(Filter):
        extra: int = 0

    described = NumpyDocString(Silent.__doc__)["Parameters"]
    assert [entry.name for entry in described] == ["fs", "order"]


@pytest.mark.parametrize("kw_only", [False, True])
def test_an_own_transformer_may_have_the_decorator_of_a_dataclass(kw_only):
    @dataclass(kw_only=kw_only, eq=False, repr=False)
    class Clipper(BeatTransformer):
        """Clip."""

        limit: PositiveFloat = 5.0

        def _change(self, signals):
            return np.clip(signals, -self.limit, self.limit)

    class Plain(BeatTransformer):
        """Clip."""

        limit: PositiveFloat = 5.0

        def _change(self, signals):
            return np.clip(signals, -self.limit, self.limit)

    for kind in (Clipper, Plain):
        assert np.abs(kind(limit=1.0).fit_transform(BEATS)).max() == 1
        with pytest.raises(InvalidParameterError, match=f"'limit' parameter of {kind.__name__}"):
            kind(limit=0.0).fit(BEATS)


def test_a_decorated_class_may_add_a_required_parameter():
    @dataclass(kw_only=True, eq=False, repr=False)
    class Scaled(BandpassFilter):
        factor: float

    with pytest.raises(TypeError, match="factor"):
        Scaled(fs=360)
    assert Scaled(fs=360, factor=2.0).factor == 2.0


@pytest.mark.parametrize(
    "decorate", [lambda cls: cls, dataclass(kw_only=True, eq=False, repr=False)]
)
def test_own_augmentations(decorate):
    @decorate
    class Clipping(RandomAugmentation):
        """Clip."""

        limit: float

        def _change(self, signals, generator):
            return signals.clamp(-self.limit, self.limit)

    clipping = Clipping(limit=1.0, p=1.0)
    assert clipping(torch.tensor([[[-3.0, 0.5]]]), torch.Generator()).tolist() == [[[-1.0, 0.5]]]
    assert repr(clipping) == "Clipping(limit=1.0, p=1.0)"
    assert "Probability that a beat is changed." in Clipping.__doc__
    with pytest.raises(TypeError, match="positional"):
        Clipping(1.0)
