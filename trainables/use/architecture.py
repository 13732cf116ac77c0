"""The layers of a network with their output shapes and numbers of parameters, as text."""

import re

from torch import nn


def architecture(network: nn.Module, input_shape: tuple[int, ...], *, depth: int = 3) -> str:
    """Return torchinfo's table of a network's layers for one example of `input_shape`, with a line break at its end.

    Of a user's own module that cannot take torchinfo's random example, the layers are listed without shapes.
    """
    import torchinfo

    try:
        made: object = torchinfo.summary(
            network,
            input_size=(1, *input_shape),
            depth=depth,
            verbose=0,
            device="cpu",
            mode="eval",
            col_names=("output_size", "num_params"),
            row_settings=("depth", "var_names"),
        )
    except Exception:  # whatever a module raises for numbers that are no data
        made = f"{network}\nTrainable params: {num_parameters(network):,}"
    # torchinfo prints the name of its enumeration's member, "(Units.MEGABYTES)", where it means millions, "(M)".
    text = re.sub(r"\(Units\.(\w)\w*\)", r"(\1)", str(made))
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def num_parameters(network: nn.Module) -> int:
    """Return the number of trained parameters."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)
