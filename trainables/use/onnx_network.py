"""An exported ONNX file in the place of a model's torch module, run by onnxruntime."""

import json
from pathlib import Path
from typing import Final

import torch
from torch import Tensor, nn

from trainables.base.errors import ModelError
from trainables.use.exported.errors import needing
from trainables.use.formats import onnx as onnx_format
from trainables.use.formats import onnx_int8
from trainables.use.saved_model import ModelConfig

FILES: Final = {"onnx": onnx_format.FILE, "onnx-int8": onnx_int8.FILE}
"""The file of each engine, in the folder that `studies export --model DIR --model-format` wrote."""


class OnnxNetwork(nn.Module):
    """Maps what a model's module takes to logits, by onnxruntime on the processor."""

    def __init__(self, content: bytes) -> None:
        """Open a file's content."""
        from trainables.use.exported.onnx_graphs import runner

        super().__init__()
        self._run = runner(content)

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits (examples, classes)."""
        logits, _ = self._run(inputs.numpy())
        return torch.from_numpy(logits)


def onnx_network(folder: Path, engine: str, config: ModelConfig) -> OnnxNetwork:
    """Return the network in a folder's ONNX file; raise ModelError if it is not there or is of another model."""
    path = folder / FILES[engine]
    if not path.is_file():
        raise ModelError(
            f"{path} is not there",
            f"Make it: studies export {config.study} --model DIR --model-format {engine}, and name that DIR.",
        )
    packages = ("onnx", "onnxruntime", "onnxscript")
    with needing(packages, "pip install 'studies[onnx]'"):
        import onnx

        content = path.read_bytes()
        try:
            told = {each.key: each.value for each in onnx.load_from_string(content).metadata_props}
            network = OnnxNetwork(content)
        except ModuleNotFoundError:
            raise
        except Exception as error:  # protobuf and onnxruntime raise classes of their own
            raise ModelError(
                f"{path} is damaged ({type(error).__name__})", "Export the model again."
            ) from error
    own = {"study": config.study, "trial": str(config.trial), "block": str(config.block)}
    if {name: told.get(name) for name in own} != own or json.loads(told["classes"]) != list(config.classes):
        raise ModelError(f"{path} was exported from another model", "Export this model again.")
    return network
