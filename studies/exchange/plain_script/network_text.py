"""The part of a plain script that defines its network and its first weights."""

import itertools

from studies.exchange.plain_script.recipe import Recipe
from trainables.base.hyperparameters import Hyperparameters
from trainables.models.cnn import DENSE, channels_of
from trainables.networks.initialisation import FITTING

_ACTIVATIONS = {"relu": "nn.ReLU()", "tanh": "nn.Tanh()", "sigmoid": "nn.Sigmoid()"}


def network_text(recipe: Recipe) -> str:
    """Return the classes and functions that make a network of the recipe, initialised."""
    network = _images(recipe) if recipe.is_image_network else _rows(recipe)
    return f"{network}\n\n{_initialisation(recipe)}"


def widths_text(hp: Hyperparameters) -> str:
    """Return the widths of the hidden layers as an expression."""
    same = len(set(hp.widths)) == 1 and hp.depth > 3
    return f"[{hp.widths[0]}] * {hp.depth}" if same else str(list(hp.widths))


def _layers(hp: Hyperparameters, linear: str, norm: str, *, dropout: str | None) -> list[str]:
    """Return the layers of a block, one expression each."""
    return [
        f"{linear}, bias=False)" if hp.batch_norm else f"{linear})",
        *([f"{norm}"] if hp.batch_norm else []),
        _ACTIVATIONS[hp.activation],
        *([dropout] if dropout else []),
    ]


def _sequence(layers: list[str], indent: str = "    ") -> str:
    return "nn.Sequential(\n" + "".join(f"{indent}    {layer},\n" for layer in layers) + f"{indent})"


def _rows(recipe: Recipe) -> str:
    hp = recipe.hyperparameters
    dropout = "nn.Dropout(DROPOUT)" if hp.dropout else None
    layers = _layers(hp, "nn.Linear(before, after", "nn.BatchNorm1d(after)", dropout=dropout)
    order = " -> ".join(layer.partition("(")[0].removeprefix("nn.") for layer in layers)
    factors, body = _skips(hp)
    return f'''def block(before, after):
    """One hidden layer: {order}."""
    return {_sequence(layers)}


class Network(nn.Module):
    """The hidden layers, then a linear output with one logit for each class."""

    def __init__(self):
        super().__init__()
        sizes = [NUM_FEATURES, *WIDTHS]
        self.blocks = nn.ModuleList([block(before, after) for before, after in zip(sizes, sizes[1:])])
        self.output = nn.Linear(sizes[-1], NUM_CLASSES){factors}

    def forward(self, x):
        self.hidden = []  # the output of each hidden layer, to look at its gradient
{body}
        return self.output(x)
'''


def _skips(hp: Hyperparameters) -> tuple[str, str]:
    """Return what the constructor needs for residual connections, and the loop over the blocks."""
    widths = hp.widths
    has_skip = [index > 0 and widths[index] == widths[index - 1] for index in range(hp.depth)]
    if hp.residual == "none" or not any(has_skip):
        return "", _indented("for block in self.blocks:", "    x = block(x)", "    self.hidden.append(x)")
    numbered = hp.residual == "zero"
    loop = "for factor, block in zip(self.factors, self.blocks):" if numbered else "for block in self.blocks:"
    factor = {"plain": "", "scaled": "len(WIDTHS) ** -0.5 * ", "zero": "factor * "}[hp.residual]
    added = f"x + {factor}block(x)"
    first = "block is self.blocks[0]"
    change = "block[0].in_features != block[0].out_features"
    condition = first if all(has_skip[1:]) else f"{first} or {change}"
    body = _indented(
        loop,
        f"    x = block(x) if {condition} else {added}",
        "    self.hidden.append(x)",
    )
    factors = (
        "\n        # Learnt, from 0 on: at first a hidden layer passes its input on.\n"
        "        self.factors = nn.ParameterList([torch.zeros(1) for _ in WIDTHS])"
    )
    return (factors if numbered else ""), body


def _indented(*lines: str) -> str:
    return "\n".join(f"        {line}" for line in lines)


def _images(recipe: Recipe) -> str:
    hp = recipe.hyperparameters
    shape = recipe.data.shape
    assert shape is not None
    channels = channels_of(hp)
    into = (shape[0] if len(shape) == 3 else 1, *channels)
    height, width = shape[-2:]
    flat = channels[-1] * (height >> hp.depth) * (width >> hp.depth)
    units = [flat, *(channels[0] * factor for factor in DENSE)]
    convolution = [
        layer
        for ends in ("into", "out")
        for layer in _layers(hp, f"nn.Conv2d({ends}, out, 3, padding=1", "nn.BatchNorm2d(out)", dropout=None)
    ]
    pooled = [*convolution, "nn.MaxPool2d(2)", *(["nn.Dropout(DROPOUT / 2)"] if hp.dropout else [])]
    dropout = "nn.Dropout(DROPOUT)" if hp.dropout else None
    dense = [
        "nn.Flatten()",
        *_layers(hp, "nn.Linear(into, out", "nn.BatchNorm1d(out)", dropout=dropout),
    ]
    blocks = [
        *(f"convolutions({a}, {b})" for a, b in zip(into, channels, strict=False)),
        *(f"dense({a}, {b})" for a, b in itertools.pairwise(units)),
    ]
    listed = "".join(f"                {block},\n" for block in blocks)
    return f'''def convolutions(into, out):
    """Two convolutions and a pooling, which halves height and width."""
    return {_sequence(pooled)}


def dense(into, out):
    """A hidden layer after the convolutions."""
    return {_sequence(dense)}


class Network(nn.Module):
    """Blocks of convolutions, two dense layers, then a linear output with one logit for each class."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(
            [
{listed}            ]
        )
        self.output = nn.Linear({units[-1]}, NUM_CLASSES)

    def forward(self, x):
        self.hidden = []  # the output of each block, to look at its gradient
        for block in self.blocks:
            x = block(x)
            self.hidden.append(x)
        return self.output(x)
'''


def _initialisation(recipe: Recipe) -> str:
    hp = recipe.hyperparameters
    init = FITTING[hp.activation] if hp.init == "fitting" else hp.init
    fan_in = "layer.weight[0].numel()"
    told, drawn = {
        "he_normal": (
            "normal with variance 2 / inputs (He et al., 2015)",
            'nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
        ),
        "lecun_normal": (
            "normal with variance 1 / inputs (LeCun et al., 1998)",
            f"nn.init.normal_(layer.weight, std={fan_in} ** -0.5)",
        ),
        "xavier_normal": (
            "normal with variance 2 / (inputs + outputs) (Glorot and Bengio, 2010)",
            f"nn.init.normal_(layer.weight, std=(2 / ({fan_in} + len(layer.weight))) ** 0.5)",
        ),
        "default": (
            "uniform within 1 / sqrt(inputs), as PyTorch draws them",
            f"nn.init.uniform_(layer.weight, -({fan_in} ** -0.5), {fan_in} ** -0.5)",
        ),
    }[init]
    kinds = "(nn.Linear, nn.Conv2d)" if recipe.is_image_network else "nn.Linear"
    bias = (
        "            if layer.bias is not None:\n                nn.init.zeros_(layer.bias)"
        if hp.batch_norm
        else "            nn.init.zeros_(layer.bias)"
    )
    gain = ""
    if hp.init_gain != 1:
        told += f"; those of hidden layers times {hp.init_gain:g}"
        gain = f"""
    for layer in network.blocks.modules():
        if isinstance(layer, {kinds}):
            layer.weight.mul_({hp.init_gain!r})"""
    return f'''@torch.no_grad()
def initialise(network):
    """First weights: {told}; biases 0."""
    for layer in network.modules():
        if isinstance(layer, {kinds}):
            {drawn}
{bias}{gain}
'''
