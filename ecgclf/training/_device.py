"""Names of devices."""

from __future__ import annotations

import warnings

import torch


def resolve_device(device: str) -> torch.device:
    """Find the device that `device` names.

    Parameters
    ----------
    device : str
        "auto" takes CUDA, else Apple's MPS, else the CPU; any other name is torch's own, as
        "cpu", "cuda", "cuda:1" or "mps".

    Returns
    -------
    torch.device

    Raises
    ------
    ValueError
        If the name is unknown or this machine has no such device.

    Examples
    --------
    >>> resolve_device("cpu")
    device(type='cpu')
    """
    if device == "auto":
        return torch.device(_best())
    try:
        found = torch.device(device)
    except RuntimeError as error:
        raise ValueError(
            f"device={device!r} is no device: give 'auto', 'cpu', 'cuda', 'cuda:<number>' or "
            "'mps'."
        ) from error
    if found.type == "cuda":
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if (found.index or 0) >= count:
            raise ValueError(
                f"device={device!r} is not available: torch {torch.__version__} sees {count} "
                "CUDA device(s) here. Use device='auto' or device='cpu', or install a CUDA "
                "build of torch."
            )
    elif found.index or (found.type == "mps" and not torch.backends.mps.is_available()):
        raise ValueError(
            f"device={device!r} is not available on this machine: use device='auto' or "
            "device='cpu'."
        )
    elif found.type not in ("cpu", "cuda", "mps"):
        raise ValueError(
            f"device={device!r} is not supported: give 'auto', 'cpu', 'cuda', 'cuda:<number>' "
            "or 'mps'."
        )
    return found


def device_here(device: str) -> str:
    """Name `device`, or the CPU, with a warning, if this machine does not have it.

    Parameters
    ----------
    device : str
        As in `resolve_device`.

    Returns
    -------
    str

    Warns
    -----
    UserWarning
        If it is the CPU for want of the device.

    Examples
    --------
    >>> device_here("cpu")
    'cpu'
    """
    try:
        return str(resolve_device(device))
    except ValueError:
        warnings.warn(
            f"The network was trained on device={device!r}, which this machine does not have: it "
            "is loaded onto the CPU.",
            stacklevel=3,
        )
        return "cpu"


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"
