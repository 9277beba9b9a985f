"""The packages that only export needs."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType


def optional(name: str) -> ModuleType:
    """Import a package that not every installation of ecgclf has.

    Raises
    ------
    ImportError
        If it is not installed.

    Examples
    --------
    >>> optional("json").__name__
    'json'
    """
    try:
        return import_module(name)
    except ImportError as error:
        raise ImportError(
            f"Export to ONNX needs {name.partition('.')[0]}, which is not installed: "
            "pip install 'ecgclf[onnx]'."
        ) from error
