"""What a new study file offers for data and networks of one's own, as comments that only need their # taken off."""

INTRODUCTION = """\
Your own data and networks: take the # off load(), off build(), or off both. `studies plan` then tries
them on one batch and says what is wrong, with its line. Hyperparameters that Studies does not know are declared
with their defaults, Study(hyperparameters={"num_heads": 4}, ...), and may then be factors, nuisances or fixed."""

LOAD = '''\
def load():
    """Return inputs (examples, ...) and one class for each, a whole number or a name.

    {"inputs": ..., "targets": ..., "classes": ..., "official_test": rows, "scale": True} says more: names of the
    classes, rows of a published test set, and that columns be scaled by each block's training part.
    """
    from sklearn.datasets import load_wine

    wine = load_wine()
    return {"inputs": wine.data, "targets": wine.target, "classes": wine.target_names, "scale": True}
'''

BUILD = '''\
def build(hyperparameters, input_shape, num_classes):
    """Return a torch module from inputs (examples, *input_shape) to logits (examples, num_classes).

    It is called once for each replicate, with the global random generators seeded: set no seed here.
    """
    import math

    from torch import nn

    widths = [math.prod(input_shape), *hyperparameters.widths]
    layers = [nn.Flatten()]
    for fan_in, fan_out in zip(widths[:-1], widths[1:]):
        layers.append(nn.Linear(fan_in, fan_out, bias=not hyperparameters.batch_norm))
        if hyperparameters.batch_norm:
            layers.append(nn.BatchNorm1d(fan_out))
        layers += [nn.ReLU(), nn.Dropout(hyperparameters.dropout)]
    return nn.Sequential(*layers, nn.Linear(widths[-1], num_classes))
'''


def own_part() -> str:
    """Return the text as comments."""
    paragraphs = [INTRODUCTION, LOAD, BUILD]
    lines = [line for text in paragraphs for line in ("", "", *text.splitlines())]
    return "".join(f"# {line}".rstrip() + "\n" if line else "\n" for line in _joined(lines))


def _joined(lines: list[str]) -> list[str]:
    """Mark empty lines within a paragraph, so that they are comments too."""
    return [
        " " if not line and 0 < place < len(lines) - 1 and lines[place - 1] and lines[place + 1] else line
        for place, line in enumerate(lines)
    ]
