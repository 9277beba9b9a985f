"""Where a command writes."""

from __future__ import annotations

from pathlib import Path


def check_output(file: Path | None) -> None:
    """Find out before the work that its result can be written.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    """
    if file is not None and not file.absolute().parent.is_dir():
        raise FileNotFoundError(
            f"there is no folder {file.absolute().parent} to write {file} to: make it first"
        )
