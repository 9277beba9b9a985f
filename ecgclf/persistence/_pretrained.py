"""Pretrained models that are part of the package."""

from __future__ import annotations

import json
from importlib.resources import as_file, files
from typing import Any

from ecgclf._docstrings import parameters_from
from ecgclf.persistence._load import load

#: Folder of the weights and the model cards.
FOLDER = files(__package__) / "pretrained"

_WEIGHTS = ".ecgclf"


def list_pretrained() -> list[str]:
    """List the names of the pretrained models.

    Returns
    -------
    list of str
        Names for `load_pretrained`, sorted.

    Examples
    --------
    >>> from ecgclf.persistence import list_pretrained
    >>> list_pretrained()
    ['holter', 'mitbih-kaggle', 'mitbih-small']
    """
    names = (file.name for file in FOLDER.iterdir())
    return sorted(name.removesuffix(_WEIGHTS) for name in names if name.endswith(_WEIGHTS))


def load_pretrained(name: str) -> Any:
    """Load a pretrained model; no internet connection is needed.

    Parameters
    ----------
    name : str
        One of `list_pretrained`, such as "mitbih-small".

    Returns
    -------
    estimator
        The fitted model, as `load` returns it. Its ``input_contract_`` has the properties of
        the beats that it takes.

    Raises
    ------
    ValueError
        If there is no model of this name.

    See Also
    --------
    model_card : Training data, figures and limits of a model.

    Notes
    -----
    None of these models is a medical device.

    Examples
    --------
    >>> import ecgclf
    >>> from ecgclf.datasets import fetch_mitbih, load_kaggle_heartbeat
    >>> model = ecgclf.load_pretrained("mitbih-small")
    >>> beats = load_kaggle_heartbeat(fetch_mitbih(), "test")  # doctest: +SKIP
    >>> model.predict(beats.data[:3])  # doctest: +SKIP
    array(['N', 'N', 'N'], dtype='<U1')
    """
    _check_name(name)
    with as_file(FOLDER / f"{name}{_WEIGHTS}") as path:
        return load(path)


@parameters_from(load_pretrained)
def model_card(name: str) -> str:
    """Read the model card of a pretrained model.

    Returns
    -------
    str
        Markdown text with the input, the training and test data, figures with intervals, the
        intended use, the limits, and the command that trained the model.

    Raises
    ------
    ValueError
        If there is no model of this name.

    Examples
    --------
    >>> from ecgclf.persistence import model_card
    >>> print(model_card("mitbih-small"))
    # mitbih-small
    ...
    """
    _check_name(name)
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def card_facts(name: str) -> dict[str, Any] | None:
    """Read the facts that a model card is made of, or None if `name` is no pretrained model."""
    if name not in list_pretrained():
        return None
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def _check_name(name: str) -> None:
    if name not in (known := list_pretrained()):
        raise ValueError(
            f"There is no pretrained model {name!r}; expected one of {known}. Use ecgclf.load to "
            "load a model from your own file."
        )
