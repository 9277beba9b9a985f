"""A file in which the state of an unfinished fit is kept, and replaced again and again."""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

import numpy as np

from ecgclf.persistence._container import pack, read_beginning, unpack
from ecgclf.persistence._errors import PersistenceError
from ecgclf.persistence._reading import Reader
from ecgclf.persistence._replacing import replace_file
from ecgclf.persistence._writing import Writer


class CheckpointFile:
    """What a fit has kept of itself, if it was broken off; written anew after every epoch.

    Parameters
    ----------
    path : str or path-like
        The file need not be there, but its folder must.

    Attributes
    ----------
    found : bool
        Whether an earlier fit was broken off and has left its state.
    fit : dict
        What that fit was, as it was given to `write`.
    values, arrays : dict
        Its state.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    PersistenceError
        If the file is damaged or something else than a checkpoint.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = CheckpointFile(f"{folder}/fit.checkpoint")
    ...     file.write({"lr": 0.1}, {"epoch": 3}, {"weight": np.ones(2)})
    ...     again = CheckpointFile(f"{folder}/fit.checkpoint")
    >>> file.found, again.found
    (False, True)
    >>> again.fit, again.values, again.arrays["weight"]
    ({'lr': 0.1}, {'epoch': 3}, array([1., 1.]))
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.found = self.path.exists()
        self.fit: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        self.arrays: dict[str, np.ndarray] = {}
        #: Name of the state that this object has read or written last.
        self._newest: str | None = None
        if self.path.is_dir():
            raise PersistenceError(
                f"checkpoint={os.fspath(path)!r} is a folder: give the path of a file."
            )
        if self.found:
            self._read()
        elif not self.path.parent.is_dir():
            raise FileNotFoundError(
                f"There is no folder {os.fspath(self.path.parent)!r} for the checkpoint "
                f"{os.fspath(path)!r}: make it, or give another path."
            )

    def write(
        self, fit: dict[str, Any], values: dict[str, Any], arrays: dict[str, np.ndarray]
    ) -> None:
        """Replace the state, in one step.

        Parameters
        ----------
        fit : dict
            What this fit is, of what JSON knows.
        values : dict
        arrays : dict of str to ndarray

        Raises
        ------
        PersistenceError
            If a value cannot be kept without pickle, or the file is no longer the one that
            was read or written here last.
        OSError
            If the file cannot be written.
        """
        if self.path.exists() and self._name_in_place() != self._newest:
            raise PersistenceError(
                f"The checkpoint {os.fspath(self.path)!r} was written by something else while "
                "this fit was running: give every fit a checkpoint of its own."
            )
        name = uuid.uuid4().hex
        state = {key: Writer().plain(value, key) for key, value in values.items()}
        data = pack({"checkpoint": name, "fit": fit, "state": state}, arrays)
        # Always the same name beside it, so that a fit that is killed again and again leaves
        # one part behind at most.
        replace_file(self.path, data, f".{self.path.name}.part")
        self._newest = name

    def remove(self) -> None:
        """Remove the file, unless something else has been put there."""
        if self.path.exists() and self._name_in_place() == self._newest:
            self.path.unlink()

    def _read(self) -> None:
        try:
            document, self.arrays = unpack(self.path.read_bytes())
            self._newest = document["checkpoint"]
        except (PersistenceError, KeyError) as error:
            is_model = isinstance(error, KeyError)
            raise PersistenceError(
                f"checkpoint={os.fspath(self.path)!r} is a file that holds no unfinished fit: it "
                f"{'is a saved model.' if is_model else error} If it is a checkpoint that was "
                "damaged, delete it to begin the fit anew; if it is something else, give another "
                "path."
            ) from error
        self.fit = document["fit"]
        self.values = {key: Reader({}).value(item) for key, item in document["state"].items()}

    def _name_in_place(self) -> str | None:
        """Read which state the file holds now, without its arrays."""
        with open(self.path, "rb") as file:
            size = file.read(8)
            beginning = size + file.read(int.from_bytes(size, "little"))
        try:
            return read_beginning(beginning).get("checkpoint")
        except PersistenceError:
            return None
