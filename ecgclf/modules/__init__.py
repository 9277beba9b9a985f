"""Networks: tensors in, logits out.

Nothing here knows scikit-learn, skorch or a data set. A network is an encoder, which turns
``(batch, n_leads, n_samples)`` into ``(batch, n_features)``, and a dense head; `BeatNetwork`
joins them and lets per-beat features enter between the two.
"""

from ecgclf.modules._convolutional import (
    ConvEncoder,
    ConvLayer,
    encoded_length,
    minimum_length,
)
from ecgclf.modules._dropout import Dropout, set_generator
from ecgclf.modules._image import GlobalPool
from ecgclf.modules._network import BeatNetwork, DenseHead, Encoder
from ecgclf.modules._transfer import PretrainedEncoder

__all__ = [
    "BeatNetwork",
    "ConvEncoder",
    "ConvLayer",
    "DenseHead",
    "Dropout",
    "Encoder",
    "GlobalPool",
    "PretrainedEncoder",
    "encoded_length",
    "minimum_length",
    "set_generator",
]
