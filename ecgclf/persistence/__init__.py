"""Loading of saved and pretrained models.

`ecgclf.estimators.BeatEstimator.save` writes the files. They contain no pickle, so an
untrusted file may be invalid but cannot run code.
"""

from ecgclf._model_file import PersistenceError
from ecgclf.persistence._load import (
    card_facts,
    list_pretrained,
    load,
    load_pretrained,
    model_card,
    read_document,
)

__all__ = [
    "PersistenceError",
    "list_pretrained",
    "load",
    "load_pretrained",
    "model_card",
    "read_document",
]
