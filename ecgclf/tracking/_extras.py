"""The libraries that only trackers need, imported when one is made."""

from __future__ import annotations

from typing import Any


def import_mlflow(caller: str) -> Any:
    """Import MLflow, or say how `caller` would get it.

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
        import mlflow
        import mlflow.pyfunc
    except ImportError as error:
        raise _missing(caller, "MLflow", "mlflow", error) from error
    return mlflow


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


def import_tensorboard(caller: str) -> Any:
    """Import torch's writer of TensorBoard's files, or say how `caller` would get it.

    Parameters
    ----------
    caller : str

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If TensorBoard is not installed.
    """
    try:
        from torch.utils import tensorboard
    except ImportError as error:
        raise _missing(caller, "TensorBoard", "tensorboard", error) from error
    return tensorboard


def _missing(caller: str, library: str, install: str, error: ImportError) -> ImportError:
    return ImportError(
        f"{caller} needs {library}, which cannot be imported ({error}); install it with: "
        f"pip install ecgclf[{install}]"
    )
