"""Export of fitted classifiers to ONNX, a graph format that runs without Python and torch.

Install the packages that it needs with ``pip install 'ecgclf[onnx]'``.
"""

from ecgclf.export._graph import ExportError
from ecgclf.export._onnx import export_onnx
from ecgclf.export._quantization import halve_onnx, quantize_onnx

__all__ = ["ExportError", "export_onnx", "halve_onnx", "quantize_onnx"]
