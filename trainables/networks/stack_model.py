"""The interface of a model whose replicates are trained, measured and saved as a stack."""

from abc import ABC, abstractmethod

from torch import Tensor

from trainables.gradients.activations import ActivationBuffers
from trainables.networks.parameters import FlatParameters

PARAMETERS, BUFFERS = "parameters", "buffers."
"""Names of a stack's tensors: `parameters`, laid out as in FlatParameters, and a prefix for the buffers."""


class StackModel(ABC):
    """A stack of networks that differ in their weights only; replicates never mix.

    After a forward and a backward pass in training mode it holds the hidden layers' signals for gradient stability.
    """

    parameters: FlatParameters
    """The parameters; their hidden weights are those of the hidden layers, in the same order."""
    outputs: list[Tensor]
    """h_l of each hidden layer, shape (replicates, units, examples)."""
    responses: ActivationBuffers
    """Signals from which dead units are found: the activation before dropout, or h_l if a skip is added to an
    activation that does not saturate."""
    deltas: ActivationBuffers
    """dL/dh_l."""
    saturates: bool
    """Whether a unit is dead if its response exceeds 0.97 in absolute value (tanh, sigmoid), rather than if it is 0."""
    responses_are_unipolar: bool
    """Whether responses lie in 0..1 (sigmoid) and are scaled to -1..1 before that comparison."""

    is_measured: bool = True
    """Whether hidden outputs, responses and deltas are read after the next passes; if not, they need not be kept."""
    is_capturable: bool = True
    """Whether each pass launches the same work on the device, so that a CUDA graph can capture it."""

    @abstractmethod
    def forward(self, inputs: Tensor, *, training: bool) -> Tensor:
        """Return logits (replicates, classes, examples) for inputs (replicates, examples, features)."""

    @abstractmethod
    def backward(self, gradient: Tensor) -> None:
        """Store every parameter's gradient, given the loss's gradient with respect to the logits."""

    @abstractmethod
    def track_statistics(self, tracking: bool) -> None:
        """Switch the update of running statistics in training mode on or off."""

    @abstractmethod
    def buffers(self) -> dict[str, Tensor]:
        """Return, by name, the tensors besides the parameters that training changes, (replicates, ...); no copies."""

    def tensors(self) -> dict[str, Tensor]:
        """Return, by name, all tensors of the networks that training changes; no copies."""
        return {
            PARAMETERS: self.parameters.values,
            **{BUFFERS + name: tensor for name, tensor in self.buffers().items()},
        }

    @abstractmethod
    def state_dict(self, replicate: int) -> dict[str, Tensor]:
        """Return one replicate's weights under the names that a plain torch model of the same form has."""
