"""Training of networks with skorch; the only package that imports it.

Private, apart from `AfterEpoch`: the other names serve `ecgclf.estimators` and may change in any
version.
"""

from skorch.callbacks import Callback

from ecgclf.training._callbacks import (
    SCHEDULES,
    AfterEpoch,
    GradualUnfreezing,
    LearningRate,
    Progress,
    check_callbacks,
    fit_callbacks,
    history_frame,
)
from ecgclf.training._context_net import N_REFERENCES, ContextNet
from ecgclf.training._losses import CrossEntropyLoss, FocalLoss, ReconstructionLoss
from ecgclf.training._net import OPTIMIZERS, BeatNet, ReconstructionNet, make_net
from ecgclf.training._rows import Rows, RowView, hold_out
from ecgclf.training._runtime import device_here, draw_seed, resolve_device, torch_threads
from ecgclf.training._state import (
    RunState,
    check_size,
    compute_alike,
    net_state,
    restore_net,
    weights_digest,
)

__all__ = ["AfterEpoch"]
