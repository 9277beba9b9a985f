"""Tests that matplotlib is imported only to draw."""

from __future__ import annotations

import subprocess
import sys


def test_import_is_light():
    code = (
        "import sys, ecgclf.plots, ecgclf.evaluation; "
        "print([name for name in ('matplotlib', 'torch', 'skorch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
