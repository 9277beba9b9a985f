"""Where downloaded databases lie."""

from __future__ import annotations

import os
from pathlib import Path

import pooch


def get_data_home(data_home: str | os.PathLike[str] | None = None) -> Path:
    """Return the folder that downloaded databases lie in, each in a folder of its own.

    Parameters
    ----------
    data_home : str or path-like, optional
        The folder. Default: what the environment variable ``ECGCLF_DATA`` names, and if it
        is not set or empty, the user's cache folder ("~/.cache/ecgclf" on Linux).

    Returns
    -------
    pathlib.Path
        With "~" expanded. It need not exist.

    Examples
    --------
    >>> from ecgclf.datasets import get_data_home
    >>> get_data_home("ecg").name
    'ecg'
    """
    chosen = data_home or os.environ.get("ECGCLF_DATA") or pooch.os_cache("ecgclf")
    return Path(chosen).expanduser()
