"""Scikit-learn transformers of beats and the segmenter of recordings."""

from ecgclf.transforms._beat_transformer import BeatTransformer
from ecgclf.transforms._filters import (
    BandpassFilter,
    BaselineWanderRemover,
    HighpassBaseline,
    MedianBaseline,
    NotchFilter,
    WaveletBaseline,
    WaveletDenoiser,
)
from ecgclf.transforms._morphology import (
    HermiteCoefficients,
    MorphologyFeatures,
    QRSWidth,
    WaveAmplitudes,
    WaveAreas,
)
from ecgclf.transforms._quality import SignalQuality
from ecgclf.transforms._record_transformers import (
    RecordRelative,
    RhythmFeatures,
    TemplateCorrelation,
)
from ecgclf.transforms._resampler import SignalResampler
from ecgclf.transforms._scaler import BeatScaler
from ecgclf.transforms._segmenter import BeatSegmenter
from ecgclf.transforms._time_frequency import FourierFeatures, Scalogram, Spectrogram

__all__ = [
    "BandpassFilter",
    "BaselineWanderRemover",
    "BeatScaler",
    "BeatSegmenter",
    "BeatTransformer",
    "FourierFeatures",
    "HermiteCoefficients",
    "HighpassBaseline",
    "MedianBaseline",
    "MorphologyFeatures",
    "NotchFilter",
    "QRSWidth",
    "RecordRelative",
    "RhythmFeatures",
    "Scalogram",
    "SignalQuality",
    "SignalResampler",
    "Spectrogram",
    "TemplateCorrelation",
    "WaveAmplitudes",
    "WaveAreas",
    "WaveletBaseline",
    "WaveletDenoiser",
]
