"""Tests that matplotlib is imported only to draw."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from ecgclf.datasets import Beats
from ecgclf.plots import (
    AttributionDisplay,
    BeatDisplay,
    BeatErrorDisplay,
    ConfusionDisplay,
    EmbeddingDisplay,
    HistoryDisplay,
    ReconstructionDisplay,
    RecordDisplay,
    ReliabilityDisplay,
    SpectrogramDisplay,
    explore,
)

BEATS = np.arange(10.0).reshape(2, 5)


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
        lambda: AttributionDisplay.from_attributions(BEATS, BEATS, fs=100),
        lambda: BeatErrorDisplay.from_predictions(BEATS, ["N", "V"], ["N", "N"], fs=100),
        lambda: EmbeddingDisplay.from_features(BEATS),
        lambda: ReconstructionDisplay.from_reconstructions(BEATS, BEATS, fs=100),
        lambda: RecordDisplay.from_signal(BEATS, fs=5),
        lambda: ReliabilityDisplay.from_predictions(["N", "V"], [0.1, 0.9]),
        lambda: SpectrogramDisplay.from_spectrogram(BEATS, [1, 2], [1, 2, 3, 4, 5]),
        lambda: explore(Beats(data=BEATS, target=np.array(["N", "V"]), fs=100)).plot(),
    ],
    ids="confusion history beats attribution errors embedding reconstruction record reliability "
    "spectrogram exploration".split(),
)
def test_without_matplotlib(monkeypatch, draw):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    with pytest.raises(
        ImportError,
        match=r"(Display|Exploration) needs matplotlib.* 'ecgclf\[plots\]",
    ):
        draw()
