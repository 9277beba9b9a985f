"""
Report of a recording
=====================

Labelled beats and a report of a whole recording. Needs record 233 of the MIT-BIH Arrhythmia
Database, which the model was not trained on; without it, a synthetic record is used.
"""

# sphinx_gallery_capture_repr = ('_repr_html_',)
# sphinx_gallery_thumbnail_path = 'images/report.png'

# %%
# Detect and classify all beats, in both leads together.

import json
from pathlib import Path

from ecgclf import annotate_recording
from ecgclf.datasets import get_data_home, make_record

record = get_data_home() / "mitdb" / "233"
if not record.with_suffix(".hea").exists():
    record = make_record(Path("ecgclf-demo"), duration=600, random_state=3)
annotated = annotate_recording(record)
print(annotated)

# %%
# The figures of the report, here those of ventricular beats:

print(json.dumps(annotated.summary["V"], indent=2))

# %%
# Episodes, the fastest first:

print(annotated.rhythm.episodes.nlargest(5, "rate").to_string(index=False))

# %%
# The report. ``annotated.to_html("report.html")`` writes it to a file, with the whole recording.

annotated  # noqa: B018
