"""Models that come with the package, already fitted."""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import Any

from ecgclf.persistence._model import load

#: Where their weights and cards lie.
FOLDER = files(__package__) / "pretrained"

_WEIGHTS = ".ecgclf"


def list_pretrained() -> list[str]:
    """List the pretrained models that `load_pretrained` knows.

    Returns
    -------
    list of str
        Their names, sorted.

    Examples
    --------
    >>> from ecgclf.persistence import list_pretrained
    >>> list_pretrained()
    ['mitbih-interpatient', 'mitbih-kaggle', 'mitbih-small']
    """
    names = (file.name for file in FOLDER.iterdir())
    return sorted(name.removesuffix(_WEIGHTS) for name in names if name.endswith(_WEIGHTS))


def load_pretrained(name: str) -> Any:
    """Load a model that comes with the package. No network is needed.

    Parameters
    ----------
    name : str
        One of `list_pretrained`, such as "mitbih-small".

    Returns
    -------
    estimator
        Fitted, as `load` returns it. Its ``input_contract_`` says what beats it takes, as far
        as numbers can; where it takes per-beat features beside the signal, they are the last
        of its ``feature_names_in_``.

    Raises
    ------
    ValueError
        If there is no such model.

    Warns
    -----
    UserWarning
        As `load`.

    See Also
    --------
    model_card : What the model was trained on, how good it is, and what it is not for.

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


def model_card(name: str) -> str:
    """Read the model card of a pretrained model.

    Parameters
    ----------
    name : str
        One of `list_pretrained`.

    Returns
    -------
    str
        Markdown: what beats the model takes, what it was trained and tested on, figures with
        their intervals, what it is for, its limits, and the command that made it.

    Raises
    ------
    ValueError
        If there is no such model.

    Examples
    --------
    >>> from ecgclf.persistence import model_card
    >>> print(model_card("mitbih-small"))
    # mitbih-small
    ...
    """
    _check_name(name)
    return (FOLDER / f"{name}.md").read_text(encoding="utf-8")


def _check_name(name: str) -> None:
    if name not in (known := list_pretrained()):
        raise ValueError(
            f"There is no pretrained model {name!r}; expected one of {known}. A model of your "
            "own is read from its file by ecgclf.load."
        )
