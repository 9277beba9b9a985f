"""What the annotations mean and how the records are split: data only.

Sources: ANSI/AAMI EC57 for the classes; Moody and Mark, "The impact of the MIT-BIH
Arrhythmia Database", IEEE Eng. Med. Biol. 2001, for the records; de Chazal, O'Dwyer and
Reilly, "Automatic classification of heartbeats using ECG morphology and heartbeat
interval features", IEEE Trans. Biomed. Eng. 2004, for the inter-patient split.
"""

from __future__ import annotations

#: The five AAMI classes in their usual order.
AAMI_CLASSES: tuple[str, ...] = ("N", "S", "V", "F", "Q")

#: AAMI class of every annotation symbol that marks a beat; any other symbol is no beat.
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

#: Records of patients with a pacemaker, which EC57 leaves out.
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
    """Return the number of the person a MIT-BIH record was taken from.

    Records 201 and 202 are one person; every other record is a person of its own. A
    subject bears the number of the first of its records.

    Examples
    --------
    >>> mitbih_subject("202"), mitbih_subject("100")
    (201, 100)
    """
    return 201 if record == "202" else int(record)
