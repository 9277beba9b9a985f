"""A whole recording: rhythm, summary and report."""

from ecgclf.recordings._rhythm import RhythmReport, rhythm_report

__all__ = ["RhythmReport", "rhythm_report"]
