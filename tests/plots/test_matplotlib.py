"""matplotlib is needed to draw, and for nothing else."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ecgclf.datasets import Beats
from ecgclf.plots import BeatDisplay, ConfusionDisplay, HistoryDisplay


def test_import_is_light():
    code = (
        "import sys, ecgclf.plots, ecgclf.evaluation; "
        "print([name for name in ('matplotlib', 'torch', 'skorch') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "draw",
    [
        lambda: ConfusionDisplay.from_predictions(["N", "V"], ["N", "N"]),
        lambda: HistoryDisplay(pd.DataFrame({"epoch": [1], "train_loss": [1.0]})).plot(),
        lambda: BeatDisplay.from_beats(
            Beats(data=np.zeros((1, 5)), target=np.array(["N"]), fs=100)
        ),
    ],
    ids=["confusion", "history", "beats"],
)
def test_without_matplotlib(monkeypatch, draw):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(ImportError, match=r"Display draws .* pip install ecgclf\[plots\]"):
        draw()
