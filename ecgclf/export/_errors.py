"""What goes wrong between a model and a graph."""

from __future__ import annotations


class ExportError(ValueError):
    """A model has a part that a graph cannot express.

    The message names the part and says what to do.
    """
