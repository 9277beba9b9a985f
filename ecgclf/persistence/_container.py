"""The bytes of a file: arrays and a JSON document, sealed by a checksum."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import numpy as np
import safetensors.numpy

from ecgclf.persistence._errors import PersistenceError

#: Raised when files come to hold what an older ecgclf would misread.
FORMAT = 1

#: Key of the document in the metadata of the safetensors file. It is the only one, as their
#: order is left to chance and equal models should give equal files.
_KEY = "ecgclf"

#: What stands in the place of the checksum while it is computed.
_BLANK = b"0" * 64


def pack(document: dict[str, Any], arrays: dict[str, np.ndarray]) -> bytes:
    """Write a document and arrays into the bytes of one safetensors file.

    Examples
    --------
    >>> document, arrays = unpack(pack({"class": "Network"}, {"weight": np.ones(3)}))
    >>> document["class"], arrays["weight"]
    ('Network', array([1., 1., 1.]))
    """
    # The checksum comes before anything that a user has named, so that what looks like it in
    # the whole file is the checksum where it is seen first.
    sealed = {"format": FORMAT, "sha256": _BLANK.decode(), **document}
    data = safetensors.numpy.save(arrays, {_KEY: json.dumps(sealed, allow_nan=False)})
    return data.replace(_BLANK, _checksum(data), 1)


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Read what `pack` has written.

    Raises
    ------
    PersistenceError
        If `pack` of this or an older version has not written exactly these bytes.
    """
    document = read_beginning(data)
    version, checksum = document["format"], document["sha256"].encode()
    if version > FORMAT:
        raise PersistenceError(
            f"has format {version} and this ecgclf knows formats up to {FORMAT}: update ecgclf."
        )
    if _checksum(data.replace(checksum, _BLANK, 1)) != checksum:
        raise PersistenceError(
            f"is damaged: its {len(data)} bytes do not have the checksum that it was saved "
            "with, so it is incomplete or was changed. Copy it again from where it came from."
        )
    try:
        return document, safetensors.numpy.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise PersistenceError(f"has no readable arrays: {error}") from error


def read_beginning(data: bytes) -> dict[str, Any]:
    """Read the document alone, without a check of the rest.

    Parameters
    ----------
    data : bytes
        Of such a file, at least up to the arrays.

    Raises
    ------
    PersistenceError
        If they are not the beginning of one.

    Examples
    --------
    >>> read_beginning(pack({"class": "Network"}, {"weight": np.ones(3)})[:-10])["class"]
    'Network'
    """
    try:
        # The beginning of a safetensors file: the length of its header, and the header.
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size].decode())
        document = json.loads(header["__metadata__"][_KEY])
        if type(document["format"]) is not int or type(document["sha256"]) is not str:
            raise TypeError("the format is no number, or the checksum no text")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise PersistenceError(
            "is no model that ecgclf has saved, or its beginning is damaged: give a file that "
            "model.save() has written. What joblib or pickle have written is read by them."
        ) from error
    return document


def _checksum(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()
