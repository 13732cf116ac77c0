"""Makes a TensorFlow Lite file of a program of torch.export; run as a script by the environment made for it.

It imports nothing of ours, because only that environment's packages can be imported there.
"""

import argparse
import json
from pathlib import Path
from typing import Any

import litert_torch  # type: ignore[import-not-found]
import numpy as np
import torch
from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found]
from ai_edge_quantizer import quantizer, recipe  # type: ignore[import-not-found]
from numpy.typing import NDArray

OUTPUTS = ("logits", "probabilities")


class Named(torch.nn.Module):
    """A program whose outputs have names."""

    def __init__(self, program: torch.nn.Module) -> None:
        """Take a program that returns one tensor for each of OUTPUTS."""
        super().__init__()
        self.program = program

    def forward(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        """Return the outputs by name."""
        return dict(zip(OUTPUTS, self.program(inputs), strict=True))


def main() -> None:
    """Write `model.tflite`, what it gives for each of the inputs (`outputs.npz`), and `facts.json` into a folder."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path, help="holds program.pt2 and inputs.npy")
    parser.add_argument("--int8", action="store_true", help="quantise the weights")
    options = parser.parse_args()
    folder, inputs = options.folder, np.load(options.folder / "inputs.npy", allow_pickle=False)
    program = torch.export.load(folder / "program.pt2").module(check_guards=False)
    made = folder / "model.tflite"
    litert_torch.convert(Named(program), sample_kwargs={"inputs": torch.from_numpy(inputs[:1])}).export(
        str(made)
    )
    if options.int8:
        found = quantizer.Quantizer(made.read_bytes(), recipe.dynamic_wi8_afp32()).quantize(
            enable_progress_report=False, enable_progress_bar=False
        )
        made.write_bytes(bytes(found.quantized_model))
    content = made.read_bytes()
    run = Interpreter(model_content=content, num_threads=1).get_signature_runner()
    each: list[dict[str, Any]] = [run(inputs=inputs[row : row + 1]) for row in range(len(inputs))]
    logits, probabilities = (np.concatenate([one[name] for one in each]) for name in OUTPUTS)
    np.savez(folder / "outputs.npz", logits=logits, probabilities=probabilities)
    facts = {"can_be_resized": can_be_resized(content, inputs[:2])}
    (folder / "facts.json").write_text(json.dumps(facts), encoding="utf-8")


def can_be_resized(content: bytes, inputs: NDArray[np.float32]) -> bool:
    """Return whether the file takes several examples at a time after its input is resized."""
    interpreter = Interpreter(model_content=content, num_threads=1)
    place = interpreter.get_input_details()[0]["index"]
    try:
        interpreter.resize_tensor_input(place, inputs.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(place, inputs)
        interpreter.invoke()
    except (RuntimeError, ValueError):
        return False
    shapes = [interpreter.get_tensor(output["index"]).shape[0] for output in interpreter.get_output_details()]
    return shapes == [len(inputs)] * len(OUTPUTS)


if __name__ == "__main__":
    main()
