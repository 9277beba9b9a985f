"""A file that is there as a whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path


def replace_file(path: Path, data: bytes, beside: str) -> None:
    """Write beside the file, and put that into its place when it is complete.

    Parameters
    ----------
    path : Path
    data : bytes
    beside : str
        Name of the file that is written first, in the same folder.

    Raises
    ------
    OSError
        If it cannot be written. A file that was there before is then still there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     replace_file(Path(folder) / "model", b"weights", ".model.part")
    ...     sorted(os.listdir(folder))
    ['model']
    """
    part = path.with_name(beside)
    try:
        with open(part, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
