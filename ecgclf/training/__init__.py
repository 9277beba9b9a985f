"""Training of networks with skorch; the only package that imports it.

Private, apart from the names in ``__all__``: the other names serve `ecgclf.estimators` and may
change in any version.
"""

from skorch.callbacks import Callback

from ecgclf.training._after_epoch import AfterEpoch
from ecgclf.training._callbacks import (
    SCHEDULES,
    BatchNormStatistics,
    LearningRate,
    Progress,
    check_callbacks,
    history_frame,
)
from ecgclf.training._checkpoint import Checkpoint, RunState, weights_digest
from ecgclf.training._device import device_here, resolve_device
from ecgclf.training._factory import OPTIMIZERS, fit_callbacks, make_net
from ecgclf.training._losses import CrossEntropyLoss, FocalLoss, ReconstructionLoss
from ecgclf.training._net import BeatNet
from ecgclf.training._random import derive, draw_seed, seeded
from ecgclf.training._reconstruction import ReconstructionNet
from ecgclf.training._row_view import RowView
from ecgclf.training._rows import Batches, Rows
from ecgclf.training._split import hold_out
from ecgclf.training._state import compute_alike, net_state, restore_net
from ecgclf.training._threads import torch_threads
from ecgclf.training._unfreezing import GradualUnfreezing

__all__ = ["AfterEpoch", "BeatNet"]
