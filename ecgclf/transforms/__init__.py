"""Changes of beats: what stands before a network in a Pipeline, and augmentation in training.

The transformers are scikit-learn's: they take and give arrays. Augmentations work on tensors
while a network trains: pure functions take tensors and a generator, and the classes, which
hold their parameters, are what an estimator takes as ``augment``. What a name needs, such as
torch, is imported when it is first used.
"""

from importlib import import_module
from typing import Any

#: The module of each public name.
_MODULES = {
    "_augmenters": (
        "AmplitudeScaling BaselineWander Compose GaussianNoise LeadDropout "
        "RandomAugmentation TimeShift TimeWarp"
    ),
    "_baseline": "BaselineWanderRemover HighpassBaseline MedianBaseline WaveletBaseline",
    "_beat_features": "BeatFeatures",
    "_denoiser": "WaveletDenoiser",
    "_filters": "BandpassFilter NotchFilter",
    "_fourier": "FourierFeatures",
    "_measures": "BeatMeasure HermiteCoefficients QRSWidth WaveAmplitudes WaveAreas",
    "_morphology": "MorphologyFeatures",
    "_quality": "SignalQuality",
    "_record_relative": "RecordRelative TemplateCorrelation",
    "_record_transformer": "RecordTransformer",
    "_resampler": "SignalResampler",
    "_rhythm": "RhythmFeatures",
    "_scaler": "BeatScaler",
    "_scalogram": "Scalogram",
    "_segmenter": "BeatSegmenter",
    "_spectrogram": "Spectrogram",
    "_time": "shift_time warp_time",
    "_transformer": "BeatTransformer",
    "_values": "add_baseline_wander add_noise drop_leads scale_amplitude",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}

__all__ = sorted(_MODULE_OF)


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)


def __dir__() -> list[str]:
    return __all__
