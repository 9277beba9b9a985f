"""What goes wrong between a model and a file."""

from __future__ import annotations


class PersistenceError(ValueError):
    """A model cannot be kept in a file, or a file holds none that can be used.

    The message says what is wrong and what to do. A file that is not there, or may not be
    read or written, is an `OSError` as everywhere else.
    """
