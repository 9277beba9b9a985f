"""Whole recordings: detection, classification, annotation and rhythm."""

from ecgclf.recordings._annotate import annotate_recording
from ecgclf.recordings._annotated import AnnotatedRecording
from ecgclf.recordings._many import annotate_recordings
from ecgclf.recordings._model_input import find_cut, find_model
from ecgclf.recordings._rhythm import RhythmReport, rhythm_report
from ecgclf.recordings._stream import BeatStream

__all__ = [
    "AnnotatedRecording",
    "BeatStream",
    "RhythmReport",
    "annotate_recording",
    "annotate_recordings",
    "rhythm_report",
]
