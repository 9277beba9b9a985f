"""Heartbeats with labels: from records and CSVs, downloaded or made.

``load_`` reads files, ``fetch_`` downloads them, ``make_`` makes synthetic ones. Every
loader returns a `Beats` container.
"""

from ._beats import Beats
from ._fetching import fetch_mitbih, fetch_ptbdb
from ._home import get_data_home
from ._kaggle import load_kaggle_heartbeat
from ._labels import (
    AAMI_CLASSES,
    AAMI_OF_SYMBOL,
    DS1,
    DS2,
    MITBIH_PACED,
    MITBIH_RECORDS,
    mitbih_subject,
)
from ._mitbih import load_mitbih
from ._ptbdb import load_ptbdb
from ._records import RecordError
from ._rhythm import RHYTHM_FEATURES, RhythmFeature, rhythm_features
from ._rpeaks import detect_r_peaks
from ._synthetic import make_beats, make_record

__all__ = [
    "AAMI_CLASSES",
    "AAMI_OF_SYMBOL",
    "DS1",
    "DS2",
    "MITBIH_PACED",
    "MITBIH_RECORDS",
    "RHYTHM_FEATURES",
    "Beats",
    "RecordError",
    "RhythmFeature",
    "detect_r_peaks",
    "fetch_mitbih",
    "fetch_ptbdb",
    "get_data_home",
    "load_kaggle_heartbeat",
    "load_mitbih",
    "load_ptbdb",
    "make_beats",
    "make_record",
    "mitbih_subject",
    "rhythm_features",
]
