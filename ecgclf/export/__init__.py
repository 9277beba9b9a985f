"""Fitted classifiers for programs without Python and torch: ONNX.

ONNX is a format of networks that many runtimes execute. Needs the packages of
``pip install 'ecgclf[onnx]'``, which are imported when a function is called.
"""

from ecgclf.export._errors import ExportError
from ecgclf.export._onnx import export_onnx
from ecgclf.export._smaller import halve_onnx, quantize_onnx

__all__ = ["ExportError", "export_onnx", "halve_onnx", "quantize_onnx"]
