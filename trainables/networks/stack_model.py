"""What a model must offer so that a stack of its replicates can be trained, measured and kept."""

from abc import ABC, abstractmethod

from torch import Tensor

from trainables.gradients.activations import ActivationBuffers
from trainables.networks.parameters import FlatParameters

PARAMETERS, BUFFERS = "parameters", "buffers."
"""What a stack's tensors are called: `parameters` all in one, laid out as FlatParameters, and each of the buffers."""


class StackModel(ABC):
    """A stack of networks that differ in their weights alone; replicates never mix.

    What gradient stability needs of the hidden layers is here after a forward and a backward pass in training mode.
    """

    parameters: FlatParameters
    """Their hidden weights belong to the hidden layers, in the same order."""
    outputs: list[Tensor]
    """h_l of each hidden layer, shape (replicates, units, examples)."""
    responses: ActivationBuffers
    """What tells whether a unit is dead: the activation before dropout, or h_l where a skip is added to an activation
    that does not saturate."""
    deltas: ActivationBuffers
    """dL/dh_l."""
    saturates: bool
    """Whether a unit is dead when its response is above 0.97 in size (tanh, sigmoid), not when it is 0."""
    responses_are_unipolar: bool
    """Whether responses lie in 0..1 (sigmoid) and are scaled to -1..1 before that comparison."""

    is_measured: bool = True
    """Whether hidden outputs, responses and deltas are read after the next passes: if not they need not be kept."""
    is_capturable: bool = True
    """Whether a pass is the same work on the device each time, so that a CUDA graph can hold it."""

    @abstractmethod
    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Return logits (replicates, classes, examples) for inputs (replicates, examples, features)."""

    @abstractmethod
    def backward(self, gradient: Tensor) -> None:
        """Store every parameter's gradient, given the loss's gradient with respect to the logits."""

    @abstractmethod
    def track_statistics(self, tracking: bool) -> None:
        """Say whether running statistics move with each pass in training mode."""

    @abstractmethod
    def buffers(self) -> dict[str, Tensor]:
        """Return by name what training changes besides the parameters, of shape (replicates, ...); not copies."""

    def tensors(self) -> dict[str, Tensor]:
        """Return by name everything that training changes of the networks; not copies."""
        return {
            PARAMETERS: self.parameters.values,
            **{BUFFERS + name: tensor for name, tensor in self.buffers().items()},
        }

    @abstractmethod
    def state_dict(self, replicate: int) -> dict[str, Tensor]:
        """Return one replicate's weights under the names that the plain torch model of the same form gives."""
