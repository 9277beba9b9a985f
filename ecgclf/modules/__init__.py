"""Networks: torch modules from tensors to tensors.

A network is an encoder, which maps ``(batch, n_leads, n_samples)`` to ``(batch, n_features)``,
and a dense head; a module joins them and appends the per-beat features between the two. The names
in ``__all__`` are those needed to write an encoder; the others serve the library.
"""

from ecgclf.modules._attention import TransformerEncoder
from ecgclf.modules._autoencoders import Autoencoder, make_autoencoder
from ecgclf.modules._basic_layers import Dropout, GlobalPool, set_generator
from ecgclf.modules._beat_network import (
    BeatNetwork,
    DenseHead,
    Encoder,
    FlatEncoder,
    PretrainedEncoder,
)
from ecgclf.modules._context_network import ContextNetwork
from ecgclf.modules._convolutional import (
    ConvEncoder,
    ConvLayer,
    SpectrogramEncoder,
    encoded_length,
    minimum_length,
)
from ecgclf.modules._inception_encoder import InceptionEncoder
from ecgclf.modules._recurrent import Cell, ConvRecurrentEncoder, RecurrentEncoder, StepPool
from ecgclf.modules._residual import (
    Block,
    ResidualBlock,
    ResidualEncoder,
    ResidualStage,
    SqueezeExcite,
)

__all__ = ["Dropout", "Encoder"]
