"""The libraries that only a search needs, imported when it needs them."""

from __future__ import annotations

from typing import Any


def import_optuna(caller: str) -> Any:
    """Import Optuna, or say how `caller` would get it.

    Parameters
    ----------
    caller : str

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise _missing(caller, "Optuna", "search", error) from error
    return optuna


def import_distributed(caller: str) -> Any:
    """Import the scheduler of Dask, or say how `caller` would get it.

    Parameters
    ----------
    caller : str

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import distributed
    except ImportError as error:
        raise _missing(caller, "Dask", "dask", error) from error
    return distributed


def import_wandb(caller: str) -> Any:
    """Import the client of Weights & Biases, or say how `caller` would get it.

    Parameters
    ----------
    caller : str

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import wandb
    except ImportError as error:
        raise _missing(caller, "wandb", "wandb", error) from error
    return wandb


def import_yaml(caller: str) -> Any:
    """Import PyYAML, or say how `caller` would get it.

    Parameters
    ----------
    caller : str

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise _missing(caller, "PyYAML", "search", error) from error
    return yaml


def _missing(caller: str, library: str, install: str, error: ImportError) -> ImportError:
    return ImportError(
        f"{caller} needs {library}, which cannot be imported ({error}); install it with: "
        f"pip install ecgclf[{install}]"
    )
