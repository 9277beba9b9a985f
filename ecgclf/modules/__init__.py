"""Networks: tensors in, logits out.

Nothing here knows scikit-learn, skorch or a data set. A network is an encoder, which turns
``(batch, n_leads, n_samples)`` into ``(batch, n_features)``, and a dense head; `BeatNetwork`
joins them and lets per-beat features enter between the two.
"""

from ecgclf.modules._autoencoder import Autoencoder, Standardize, StandardizedEncoder
from ecgclf.modules._convolutional import (
    ConvEncoder,
    ConvLayer,
    encoded_length,
    minimum_length,
)
from ecgclf.modules._dropout import Dropout, set_generator
from ecgclf.modules._image import GlobalPool
from ecgclf.modules._network import BeatNetwork, DenseHead, Encoder, FlatEncoder
from ecgclf.modules._recurrent import Cell, ConvRecurrentEncoder, RecurrentEncoder, StepPool
from ecgclf.modules._residual import (
    ResidualBlock,
    ResidualEncoder,
    ResidualStage,
    SqueezeExcite,
)
from ecgclf.modules._spectral import FourierEncoder, SpectrogramEncoder
from ecgclf.modules._transfer import PretrainedEncoder
from ecgclf.modules._transformer import TransformerBlock, TransformerEncoder

__all__ = [
    "Autoencoder",
    "BeatNetwork",
    "Cell",
    "ConvEncoder",
    "ConvLayer",
    "ConvRecurrentEncoder",
    "DenseHead",
    "Dropout",
    "Encoder",
    "FlatEncoder",
    "FourierEncoder",
    "GlobalPool",
    "PretrainedEncoder",
    "RecurrentEncoder",
    "ResidualBlock",
    "ResidualEncoder",
    "ResidualStage",
    "SpectrogramEncoder",
    "SqueezeExcite",
    "Standardize",
    "StandardizedEncoder",
    "StepPool",
    "TransformerBlock",
    "TransformerEncoder",
    "encoded_length",
    "minimum_length",
    "set_generator",
]
