"""Databases: classes, records, splits, and the texts that describe them in ``DESCR``.

Sources: ANSI/AAMI EC57 for the classes; Moody and Mark, "The impact of the MIT-BIH
Arrhythmia Database", IEEE Eng. Med. Biol. 2001, for the records; de Chazal, O'Dwyer and
Reilly, "Automatic classification of heartbeats using ECG morphology and heartbeat
interval features", IEEE Trans. Biomed. Eng. 2004, for the inter-patient split.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

#: The five AAMI classes in their usual order.
AAMI_CLASSES: tuple[str, ...] = ("N", "S", "V", "F", "Q")

#: AAMI class of every annotation symbol of a beat; all other symbols are not beats.
AAMI_OF_SYMBOL: dict[str, str] = {
    **dict.fromkeys("NLRej", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VE", "V"),
    "F": "F",
    **dict.fromkeys("/fQ", "Q"),
}

#: The 48 records of the MIT-BIH Arrhythmia Database.
MITBIH_RECORDS: tuple[str, ...] = tuple(
    "100 101 102 103 104 105 106 107 108 109 111 112 113 114 115 116 117 118 119 121 122 "
    "123 124 200 201 202 203 205 207 208 209 210 212 213 214 215 217 219 220 221 222 223 "
    "228 230 231 232 233 234".split()
)

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


def mitbih_subject(record: str) -> int:
    """Return the number of the subject of a MIT-BIH record.

    Records 201 and 202 are from one subject, which gets the number 201. All other records are
    from different subjects, which get the numbers of their records.

    Parameters
    ----------
    record : str
        Name of the record.

    Returns
    -------
    int

    Examples
    --------
    >>> mitbih_subject("202"), mitbih_subject("100")
    (201, 100)
    """
    return 201 if record == "202" else int(record)


_MOODY = """\
Moody GB, Mark RG. The impact of the MIT-BIH Arrhythmia Database. IEEE Eng Med Biol
20(3):45-50 (2001)."""

_GOLDBERGER = """\
Goldberger AL et al. PhysioBank, PhysioToolkit, and PhysioNet: components of a new research
resource for complex physiologic signals. Circulation 101(23):e215-e220 (2000)."""

_KACHUEE = """\
Kachuee M, Fazeli S, Sarrafzadeh M. ECG heartbeat classification: a deep transferable
representation. IEEE ICHI (2018), arXiv:1805.00794."""

_PTB = """\
Bousseljot R, Kreiseler D, Schnabel A. Nutzung der EKG-Signaldatenbank CARDIODAT der PTB
ueber das Internet. Biomedizinische Technik 40(s1):317 (1995)."""

_LICENCE = "Open Data Commons Attribution License 1.0 (ODC-By)."

MITBIH_DESCR = f"""\
Heartbeats of the MIT-BIH Arrhythmia Database 1.0.0
===================================================
48 half-hour ambulatory recordings of 47 subjects, two leads, 360 Hz, every beat annotated
by two cardiologists. Records 201 and 202 are from one subject; 102, 104, 107 and 217 are
from subjects with a pacemaker.

{{counts}}

Records : {{records}}
Leads   : {{leads}}
Windows : {{windows}}
Classes : AAMI EC57 by annotation symbol: N = N L R e j, S = A a J S, V = V E, F = F,
          Q = / f Q. Other annotations are not beats.
Groups  : number of the subject.
Rhythm  : {{rhythm}}

Licence : {_LICENCE}
Cite    :
{_MOODY}
{_GOLDBERGER}
"""

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

Licence : {_LICENCE}
Cite    :
{_KACHUEE}
{_MOODY}
{_GOLDBERGER}
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

Licence : {_LICENCE}
Cite    :
{_PTB}
{_KACHUEE}
{_GOLDBERGER}
"""

PTBDB_FROM_RECORDS = """\
Cut from {n_used} of the {n_found} raw records in {folder}, in order of patient and record.
The class of a record is the "Reason for admission" of its header: "Myocardial infarction" or
"Healthy control".
Left out, because of another reason or none: {n_other}. Used, but without a detected
R peak: {n_without_peaks}.

Leads   : {leads}
Windows : {windows}
R peaks : detected with wfdb.processing.xqrs_detect in lead {first_lead}, then moved to the
          largest deflection nearby; they were not checked by hand.
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


def wrap_names(names: Sequence[str]) -> str:
    """Wrap names into lines that are indented like the entries of a description."""
    return textwrap.indent(textwrap.fill(" ".join(names), width=78), " " * 10).lstrip()
