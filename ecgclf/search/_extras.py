"""The libraries that only a search needs."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def extra(module: str, caller: str, install: str) -> ModuleType:
    """Import a library that is an optional dependency.

    Parameters
    ----------
    module : str
        What to import.
    caller : str
        Who needs it, for the message.
    install : str
        The optional dependencies of ecgclf that hold it.

    Returns
    -------
    module

    Raises
    ------
    ImportError
        If it is not installed.
    """
    try:
        return import_module(module)
    except ImportError as error:
        raise ImportError(
            f"{caller} needs {module}, which cannot be imported ({error}); install it with: "
            f"pip install ecgclf[{install}]"
        ) from error
