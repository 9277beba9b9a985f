"""Databases on PhysioNet: addresses, classes, records, splits, and texts for ``DESCR``.

Sources: ANSI/AAMI EC57 for the classes; Moody and Mark, "The impact of the MIT-BIH
Arrhythmia Database", IEEE Eng. Med. Biol. 2001, for the records; de Chazal, O'Dwyer and
Reilly, "Automatic classification of heartbeats using ECG morphology and heartbeat
interval features", IEEE Trans. Biomed. Eng. 2004, for the inter-patient split.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ecgclf.datasets._recordings import Recording

#: The five AAMI classes in their usual order.
AAMI_CLASSES: tuple[str, ...] = ("N", "S", "V", "F", "Q")

#: AAMI class of every annotation symbol of a beat; all other symbols are not beats. Escape
#: beats (e, j, n) are N, as in de Chazal et al.
AAMI_OF_SYMBOL: dict[str, str] = {
    **dict.fromkeys("NLRBejn", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VEr", "V"),
    "F": "F",
    **dict.fromkeys("/fQ?", "Q"),
}

#: Records of patients with a pacemaker, which EC57 excludes.
MITBIH_PACED: tuple[str, ...] = ("102", "104", "107", "217")

#: Training records of the inter-patient protocol.
DS1: tuple[str, ...] = tuple(
    "101 106 108 109 112 114 115 116 118 119 122 124 201 203 205 207 208 209 215 220 223 "
    "230".split()
)

#: Test records of the inter-patient protocol.
DS2: tuple[str, ...] = tuple(
    "100 103 105 111 113 117 121 123 200 202 210 212 213 214 219 221 222 228 231 232 233 "
    "234".split()
)


#: The 48 records of the MIT-BIH Arrhythmia Database.
MITBIH_RECORDS: tuple[str, ...] = tuple(sorted(MITBIH_PACED + DS1 + DS2))


def mitbih_subject(record: str) -> int:
    """Return the number of the subject of a MIT-BIH record, for 201 and 202 the same."""
    return 201 if record == "202" else int(record)


_ODC_BY = "Open Data Commons Attribution License 1.0 (ODC-By)."

_GOLDBERGER = """\
Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet: components of a new research
resource for complex physiologic signals. Circulation 101(23):e215-e220 (2000)."""


@dataclass(frozen=True)
class Database:
    """Database of ECG records on PhysioNet.

    Parameters
    ----------
    name : str
        Name of the database on PhysioNet, and of its folder.
    version : str
        Published version.
    title : str
        Title of the database.
    summary : str
        Description in a few lines, for ``DESCR``.
    citation : str
        Publication to cite.
    licence : str, default=ODC-By 1.0
        Licence of the data.
    suffixes : tuple of str, default=(".hea", ".dat", ".atr")
        Suffixes of the files of each record.
    optional_suffixes : tuple of str, default=()
        Suffixes of files that not all records have.
    tables : tuple of str, default=()
        Files besides those of the records.
    fs : float or None, default=None
        Sampling rate of all records in Hz; None if it differs or is not known.
    record_sets : mapping of str to tuple of str, default={}
        Named sets of records. "all", if present, lists the records that must exist.
    annotator : str, default="atr"
        Suffix of the annotations of beats.
    labels : mapping of str to str, default=AAMI_OF_SYMBOL
        Class of each annotation symbol of a beat.
    lead : str or None, default=None
        Lead that loaders take if the record has it; None stands for the first lead.
    patient : callable or None, default=None
        Function that returns the patient of a record; None takes each record as a patient.
    groups : str, default="name of the record, taken as the patient."
        Description of the patients, for ``DESCR``.

    Examples
    --------
    >>> from ecgclf.datasets import DATABASES
    >>> DATABASES["svdb"].url
    'https://physionet.org/files/svdb/1.0.0/'
    """

    name: str
    version: str
    title: str
    summary: str
    citation: str
    licence: str = _ODC_BY
    suffixes: tuple[str, ...] = (".hea", ".dat", ".atr")
    optional_suffixes: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    fs: float | None = None
    record_sets: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    annotator: str = "atr"
    labels: Mapping[str, str] = field(default_factory=lambda: AAMI_OF_SYMBOL)
    lead: str | None = None
    patient: Callable[[Recording], Any] | None = None
    groups: str = "name of the record, taken as the patient."

    @property
    def url(self) -> str:
        """Address of the files."""
        return f"https://physionet.org/files/{self.name}/{self.version}/"

    @property
    def cite(self) -> str:
        """Licence and citations, for ``DESCR``."""
        cited = (
            f"{self.citation}\n{_GOLDBERGER}" if self.citation else "the source of the records."
        )
        return f"Licence : {self.licence}\nCite    :\n{cited}\n"


def _incart_patient(record: Recording) -> Any:
    found = re.search(r"patient\s+(\d+)", "\n".join(record.comments), flags=re.IGNORECASE)
    return int(found[1]) if found else record.name


_TABLE = (
    Database(
        "mitdb",
        "1.0.0",
        "MIT-BIH Arrhythmia Database",
        """\
48 half-hour ambulatory recordings of 47 subjects, two leads, 360 Hz, every beat annotated
by two cardiologists. Records 201 and 202 are from one subject; 102, 104, 107 and 217 are
from subjects with a pacemaker.""",
        """\
Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng Med Biol
20(3):45-50 (2001).""",
        fs=360.0,
        record_sets={"all": MITBIH_RECORDS, "ds1": DS1, "ds2": DS2},
        lead="MLII",
        patient=lambda record: mitbih_subject(record.name),
        groups="number of the subject.",
    ),
    Database(
        "svdb",
        "1.0.0",
        "MIT-BIH Supraventricular Arrhythmia Database",
        """\
78 half-hour ambulatory recordings of 78 patients, two leads of unpublished position, 128 Hz,
with many supraventricular premature beats.""",
        """\
Greenwald SD. Improved detection and classification of arrhythmias in noise-corrupted
electrocardiograms using contextual information. PhD thesis, Harvard-MIT Division of Health
Sciences and Technology (1990).""",
        fs=128.0,
        patient=lambda record: int(record.name),
        groups="number of the record, each of another patient.",
    ),
    Database(
        "incartdb",
        "1.0.0",
        "St Petersburg INCART 12-lead Arrhythmia Database",
        "75 half-hour recordings from 32 Holter records of 32 patients, twelve leads, 257 Hz.",
        """\
Tihonenko V, Khaustov A, Ivanov S, Rivin A, Yakushenko E. St Petersburg INCART 12-lead
Arrhythmia Database. PhysioNet (2008).""",
        fs=257.0,
        lead="II",
        patient=_incart_patient,
        groups="number of the patient in the header of the record.",
    ),
    Database(
        "ptbdb",
        "1.0.0",
        "PTB Diagnostic ECG Database",
        "549 recordings of 290 subjects, twelve leads and three Frank leads, 1000 Hz.",
        """\
Bousseljot R, Kreiseler D, Schnabel A. Nutzung der EKG-Signaldatenbank CARDIODAT der PTB
ueber das Internet. Biomedizinische Technik 40(s1):317 (1995).""",
        suffixes=(".hea", ".dat", ".xyz"),
        fs=1000.0,
        lead="ii",
    ),
    Database(
        "ptb-xl",
        "1.0.3",
        "PTB-XL",
        "21,799 recordings of 10 s of 18,869 patients, twelve leads, 500 and 100 Hz.",
        """\
Wagner P, Strodthoff N, Bousseljot R, Kreiseler D, Lunze FI, Samek W, Schaeffter T. PTB-XL, a
large publicly available electrocardiography dataset. Scientific Data 7:154 (2020).""",
        licence="Creative Commons Attribution 4.0 International.",
        suffixes=(".hea", ".dat"),
        tables=("ptbxl_database.csv", "scp_statements.csv"),
    ),
    Database(
        "nstdb",
        "1.0.0",
        "MIT-BIH Noise Stress Test Database",
        "Twelve half-hour recordings with added noise and three of noise, two channels, 360 Hz.",
        """\
Moody GB, Muldrow WE, Mark RG. A noise stress test for arrhythmia detectors. Computers in
Cardiology 11:381-384 (1984).""",
        suffixes=(".hea", ".dat"),
        optional_suffixes=(".atr",),
        fs=360.0,
        lead="MLII",
    ),
    Database(
        "edb",
        "1.0.0",
        "European ST-T Database",
        "90 two-hour ambulatory recordings of 79 subjects, two leads, 250 Hz.",
        """\
Taddei A et al. The European ST-T Database: standard for evaluating systems for the analysis
of ST-T changes in ambulatory electrocardiography. Eur Heart J 13:1164-1172 (1992).""",
        fs=250.0,
        groups="name of the record. Some subjects have several records, which is not stated.",
    ),
    Database(
        "ltafdb",
        "1.0.0",
        "Long Term AF Database",
        """\
84 recordings of about 24 hours of subjects with atrial fibrillation, two leads, 128 Hz, with
over 9 million annotations of beats and rhythms.""",
        """\
Petrutiu S, Sahakian AV, Swiryn S. Abrupt changes in fibrillatory wave characteristics at the
termination of paroxysmal atrial fibrillation in humans. Europace 9:466-470 (2007).
The annotations are by MEDICALgorithmics Ltd (Warsaw), coordinated by Michal Tadeusiak.""",
        fs=128.0,
    ),
)

#: The databases that `fetch` downloads, by their names on PhysioNet.
DATABASES: Mapping[str, Database] = MappingProxyType({entry.name: entry for entry in _TABLE})


def find_database(name: str) -> Database:
    """Return the entry of a database, or raise a ValueError that lists the known names."""
    if name not in DATABASES:
        raise ValueError(f"database {name!r} is unknown. Known names are {', '.join(DATABASES)}.")
    return DATABASES[name]


_KACHUEE = """\
Kachuee M, Fazeli S, Sarrafzadeh M. ECG heartbeat classification: a deep transferable
representation. IEEE ICHI (2018), arXiv:1805.00794."""

WFDB_DESCR = """\
{title}
{summary}

{counts}

Records : {records}
Leads   : {leads}
Windows : {windows}
Classes : {classes}. Other annotations are not beats.
Groups  : {groups}
Rhythm  : {rhythm}
{cite}"""

KAGGLE_DESCR = f"""\
The Kaggle "heartbeat" MIT-BIH set
==================================
Subset "{{subset}}".
{{source}}

{{counts}}

The files were not made as the paper describes. Each row starts at a beat annotation a[j] of
channel 0 of the record (MLII, but V5 in 102, 104 and 114) and spans
int((a[j+1] - a[j]) + 0.2 * (a[j+2] - a[j+1])) samples, counting annotations of all kinds;
every third sample is kept without a filter, so the rate is 120 Hz and not 125 Hz; the
window is scaled to [0, 1] and truncated or padded with zeros to 187 values.

The published split divides beats, not patients. Both sides contain beats of the same
patients, so its figures do not show how a model performs on new patients.

{DATABASES["mitdb"].cite}{_KACHUEE}
"""

KAGGLE_FROM_RECORDS = """\
Rebuilt from the raw records in {folder}, which have priority over CSV files there.
The test rows are in their published order, the training rows in the order of record and
time, because their published order is unknown. `groups` is the subject, `sample` the position
of the annotation at 360 Hz; each row has its rhythm features. 999 published test rows and ten
training rows were compared and are equal bit for bit. Written as CSV, the test rows have the
size of the published file, but not the SHA-256 noted for it; the reason is unknown."""

KAGGLE_FROM_CSV = """\
Read from {files}. The files do not contain the patient, record, lead or time of a
row: `groups`, `record`, `sample`, `lead` and `rhythm` are None. Pass the folder of the raw
records to get them."""

PTBDB_DESCR = f"""\
Heartbeats of the PTB Diagnostic ECG Database 1.0.0: infarction or healthy
==========================================================================
{{source}}

{{counts}}

{DATABASES["ptbdb"].cite}{_KACHUEE}
"""

PTBDB_FROM_RECORDS = """\
Cut from {n_used} of the {n_found} raw records in {folder}, in order of patient and record.
The class of a record is the "Reason for admission" of its header: "Myocardial infarction" or
"Healthy control".
Left out, because of another reason or none: {n_other}. Used, but without a detected
R peak: {n_without_peaks}.

Leads   : {leads}
Windows : {windows}
R peaks : detected with detect_r_peaks in lead {first_lead}; they were not checked by hand.
Groups  : {groups}"""

PTBDB_FROM_CSV = """\
Read from ptbdb_normal.csv (healthy) and ptbdb_abnormal.csv (infarction), in this order.
Rows are scaled to [0, 1] and padded with zeros to 187 values. The files do not contain the
patient or record of a row: `groups`, `record`, `sample`, `lead` and `rhythm` are None, so a
patient-wise split is not possible. The paper states a rate of 125 Hz (which is wrong for the
MIT-BIH files published with them) and lead II."""


def count_classes(target: NDArray[np.str_], target_names: Sequence[str]) -> str:
    """Describe the number of beats, in total and by class."""
    of_class = ", ".join(f"{name} {np.sum(target == name):,}" for name in target_names)
    return f"{len(target):,} beats: {of_class}."


def underline(title: str) -> str:
    """Return a title with a line of equal signs below."""
    return f"{title}\n{'=' * len(title)}"


def wrap_names(names: Sequence[str]) -> str:
    """Wrap names into lines that are indented like the entries of a description."""
    return textwrap.indent(textwrap.fill(" ".join(names), width=78), " " * 10).lstrip()
