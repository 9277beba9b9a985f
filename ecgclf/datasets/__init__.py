"""Labelled heartbeats: loaders, downloads, synthetic data, beat windows and rhythm features.

``load_`` functions read files, ``fetch_`` functions download them, and ``make_`` functions
generate synthetic data. Loaders of beats return a `Beats` container, `load_ptbxl` a
`RecordingSet`.
"""

from ecgclf.datasets._annotations import RecordError
from ecgclf.datasets._beats import Beats, check_leads, convert, cut_beats, fill_gaps
from ecgclf.datasets._databases import (
    AAMI_CLASSES,
    AAMI_OF_SYMBOL,
    DATABASES,
    DS1,
    DS2,
    MITBIH_PACED,
    MITBIH_RECORDS,
    Database,
    mitbih_subject,
)
from ecgclf.datasets._fetching import fetch, fetch_mitbih, fetch_ptbdb, get_data_home
from ecgclf.datasets._kaggle import load_kaggle_heartbeat
from ecgclf.datasets._ptbdb import load_ptbdb
from ecgclf.datasets._ptbxl import RecordingSet, load_ptbxl
from ecgclf.datasets._r_peaks import check_leads_first, detect_r_peaks
from ecgclf.datasets._reading import find_recording, read_recording, recordings_in
from ecgclf.datasets._recordings import Recording
from ecgclf.datasets._rhythm_features import (
    RHYTHM_FEATURES,
    RHYTHM_NAMES,
    RhythmFeature,
    check_positions,
    rhythm_features,
)
from ecgclf.datasets._stored import beats_to_memmap, beats_to_zarr, load_beats
from ecgclf.datasets._synthetic import make_beats, make_record
from ecgclf.datasets._synthetic_ptbxl import make_ptbxl
from ecgclf.datasets._wfdb_loaders import load_mitbih, load_svdb, load_wfdb
from ecgclf.datasets._windows import (
    AnnotatedSignal,
    BeatWindow,
    FixedWindow,
    KaggleWindow,
    RRWindow,
    as_window,
    describe_rows,
    resample,
    resampling_ratio,
)

__all__ = [
    "AAMI_CLASSES",
    "AAMI_OF_SYMBOL",
    "DATABASES",
    "DS1",
    "DS2",
    "MITBIH_RECORDS",
    "RHYTHM_FEATURES",
    "AnnotatedSignal",
    "BeatWindow",
    "Beats",
    "Database",
    "FixedWindow",
    "KaggleWindow",
    "RRWindow",
    "RecordError",
    "Recording",
    "RecordingSet",
    "beats_to_memmap",
    "beats_to_zarr",
    "detect_r_peaks",
    "fetch",
    "fetch_mitbih",
    "fetch_ptbdb",
    "get_data_home",
    "load_beats",
    "load_kaggle_heartbeat",
    "load_mitbih",
    "load_ptbdb",
    "load_ptbxl",
    "load_svdb",
    "load_wfdb",
    "make_beats",
    "make_ptbxl",
    "make_record",
    "read_recording",
    "rhythm_features",
]
