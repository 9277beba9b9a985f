"""Graphs of ONNX: tracing a network, and adding labels and a description."""

from __future__ import annotations

import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn

from ecgclf._extras import import_extra
from ecgclf.export._errors import ExportError

#: Names of the input and outputs.
INPUT, LABEL, PROBABILITIES = "X", "label", "probabilities"

_LOGITS = "logits"


def traced(network: nn.Module, n_columns: int) -> Any:
    """Trace a network from beats to logits and probabilities.

    Parameters
    ----------
    network : Module
    n_columns : int
        Of a row of the input.

    Returns
    -------
    onnx.ModelProto
        For any number of beats.

    Raises
    ------
    ExportError
        If torch cannot express the network, or not for any number of beats.
    ImportError
        If a package that export needs is not installed.
    """
    import_extra("onnx", "export to ONNX")
    import_extra("onnxscript", "export to ONNX")
    n_beats = torch.export.Dim("n_beats")
    try:
        with _quiet():
            program = torch.onnx.export(
                network,
                (torch.zeros(3, n_columns),),  # one or two would be taken for a special case
                dynamo=True,
                dynamic_shapes=({0: n_beats},),
                input_names=[INPUT],
                output_names=[_LOGITS, PROBABILITIES],
                verbose=False,
            )
    except Exception as error:  # a network of somebody else's can fail in any way
        reason = " ".join(str(error).split())
        raise ExportError(
            f"torch {torch.__version__} cannot write this network as ONNX "
            f"({type(error).__name__}: {reason:.300}). If it is one of your own, bring its "
            "forward to operations that torch.onnx.export knows."
        ) from error
    model = program.model_proto  # type: ignore[union-attr]
    if not model.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise ExportError(
            "The graph of this network would take batches of 3 beats alone: something in its "
            "forward turns the number of beats into a plain number. Use x.shape[0], not len(x)."
        )
    _forget_origin(model.graph)
    return model


def _forget_origin(graph: Any) -> None:
    """Take out of a graph from which line of whose file each node comes."""
    for part in (graph, *graph.node, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]
        part.ClearField("doc_string")
    for tensor in graph.initializer:
        del tensor.metadata_props[:]


def add_label(model: Any, classes: np.ndarray) -> None:
    """Let a graph give the label of each beat, in front of the probabilities.

    Parameters
    ----------
    model : onnx.ModelProto
        From `traced`; changed in place.
    classes : ndarray of shape (n_classes,)

    Raises
    ------
    ExportError
        If there is no tensor of such labels.
    """
    onnx = import_extra("onnx", "export to ONNX")
    names = classes
    if classes.dtype.kind in "OU":
        if not all(isinstance(label, str) for label in classes):
            raise ExportError(
                f"The labels {classes.tolist()} are neither strings nor numbers, of which alone "
                "ONNX has tensors: fit with labels of one of these types."
            )
        names = classes.astype(object)
    graph = model.graph
    graph.initializer.append(onnx.numpy_helper.from_array(names, "classes"))
    graph.node.extend(
        [
            onnx.helper.make_node("ArgMax", [_LOGITS], ["code"], axis=1, keepdims=0),
            onnx.helper.make_node("Gather", ["classes", "code"], [LABEL]),
        ]
    )
    kind = graph.initializer[-1].data_type
    label = onnx.helper.make_tensor_value_info(LABEL, kind, ["n_beats"])
    probabilities = graph.output[1]
    outputs = [label, onnx.ValueInfoProto.FromString(probabilities.SerializeToString())]
    del graph.output[:]
    graph.output.extend(outputs)


def describe(model: Any, description: dict[str, Any]) -> None:
    """Put a description into the metadata of a graph, as JSON under the name "ecgclf"."""
    entry = model.metadata_props.add()
    entry.key, entry.value = "ecgclf", json.dumps(description)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep torch from reporting what concerns its own developers."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
