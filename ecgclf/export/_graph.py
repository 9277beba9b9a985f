"""ONNX graphs: tracing a network, and adding labels."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from ecgclf._extras import import_extra

#: Names of the input and the outputs.
INPUT, LABEL, PROBABILITIES = "X", "label", "probabilities"

_LOGITS = "logits"


class ExportError(ValueError):
    """Error for a model with a part that ONNX cannot express.

    The message names the part and a remedy.
    """


def trace(network: nn.Module, n_columns: int) -> Any:
    """Trace a network from rows of `n_columns` values to logits and probabilities.

    The result is an `onnx.ModelProto` for any number of beats.
    """
    import_extra("onnx", "export to ONNX")
    import_extra("onnxscript", "export to ONNX")
    n_beats = torch.export.Dim("n_beats")
    try:
        with _quiet():
            program = torch.onnx.export(
                network,
                (torch.zeros(3, n_columns),),  # torch.export specialises sizes 0 and 1
                dynamo=True,
                dynamic_shapes=({0: n_beats},),
                input_names=[INPUT],
                output_names=[_LOGITS, PROBABILITIES],
                verbose=False,
            )
    except Exception as error:  # a user's network can fail in any way
        reason = " ".join(str(error).split())
        raise ExportError(
            f"torch {torch.__version__} cannot export this network to ONNX "
            f"({type(error).__name__}: {reason:.300}). Use only operations in its forward that "
            "torch.onnx.export supports."
        ) from error
    model = program.model_proto  # type: ignore[union-attr]
    if not model.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise ExportError(
            "The graph of this network takes batches of exactly 3 beats, because its forward "
            "converts the number of beats to an int. Use x.shape[0], not len(x)."
        )
    _remove_source_locations(model.graph)
    return model


def _remove_source_locations(graph: Any) -> None:
    """Remove the file names and line numbers that torch adds to the nodes."""
    values = (*graph.value_info, *graph.input, *graph.output, *graph.initializer)
    for part in (graph, *graph.node, *values):
        part.ClearField("metadata_props")
        part.ClearField("doc_string")


def add_label(model: Any, classes: np.ndarray, *, multilabel: bool = False) -> None:
    """Add the label of each beat as the first output, instead of the logits.

    With `multilabel` it is an indicator matrix of the labels whose logit is above 0.
    """
    onnx = import_extra("onnx", "export to ONNX")
    names = classes
    if classes.dtype.kind in "OU":
        if not all(isinstance(label, str) for label in classes):
            raise ExportError(
                f"The labels {classes.tolist()} are neither all strings nor all numbers, as ONNX "
                "requires. Fit with labels of one of these types."
            )
        names = classes.astype(object)
    graph, make_node = model.graph, onnx.helper.make_node
    if multilabel:
        kind, shape = onnx.TensorProto.INT64, ["n_beats", len(classes)]
        graph.initializer.append(onnx.numpy_helper.from_array(np.float32(0), "threshold"))
        nodes = [
            make_node("Greater", [_LOGITS, "threshold"], ["present"]),
            make_node("Cast", ["present"], [LABEL], to=kind),
        ]
    else:
        graph.initializer.append(onnx.numpy_helper.from_array(names, "classes"))
        kind, shape = graph.initializer[-1].data_type, ["n_beats"]
        nodes = [
            make_node("ArgMax", [_LOGITS], ["code"], axis=1, keepdims=0),
            make_node("Gather", ["classes", "code"], [LABEL]),
        ]
    graph.node.extend(nodes)
    graph.output[0].CopyFrom(onnx.helper.make_tensor_value_info(LABEL, kind, shape))


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the messages of torch.onnx."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
