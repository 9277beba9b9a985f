"""Fitted models in files, without pickle: arrays and JSON, which no reader has to trust.

Knows of a model only what `Savable` says: its parameters, its fitted state, and how to take
that state back. The classes that a file may name are those of ecgclf.
"""

from ecgclf.persistence._checkpoint import CheckpointFile
from ecgclf.persistence._errors import PersistenceError
from ecgclf.persistence._model import load, read_document, save
from ecgclf.persistence._pretrained import list_pretrained, load_pretrained, model_card

__all__ = [
    "CheckpointFile",
    "PersistenceError",
    "list_pretrained",
    "load",
    "load_pretrained",
    "model_card",
    "read_document",
    "save",
]
