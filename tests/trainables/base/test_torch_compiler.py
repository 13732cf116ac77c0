"""torch's compiler is not imported to train, and is told what it must not compile once somebody imports it."""

import subprocess
import sys

import pytest
import torch

from trainables.base.torch_compiler import step_of

TRAIN = """
import sys, torch
from trainables.base.torch_compiler import leave_out_compiler, step_of

leave_out_compiler()
weight = torch.nn.Parameter(torch.ones(2))
optimizer = torch.optim.Adam([weight])
optimizer.zero_grad()
optimizer.load_state_dict(optimizer.state_dict())
step_of(optimizer)()
assert "torch._dynamo" not in sys.modules and "sympy" not in sys.modules
import torch._dynamo
optimizer.zero_grad()
print(torch.optim.Optimizer.zero_grad.__wrapped__.__dict__["__dynamo_disable"].__module__)
"""


def test_an_optimizer_is_made_and_used_without_the_compiler() -> None:
    done = subprocess.run([sys.executable, "-c", TRAIN], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip().startswith("torch"), "the method is marked for the compiler that is there now"


@pytest.mark.parametrize("kind", [torch.optim.SGD, torch.optim.Adam, torch.optim.RMSprop])
def test_a_step_is_that_of_the_optimizer(kind: type[torch.optim.Optimizer]) -> None:
    ends = []
    for is_plain in (False, True):
        weight = torch.nn.Parameter(torch.tensor([1.0, -2.0]))
        weight.grad = torch.tensor([0.5, 0.25])
        optimizer = kind([weight], lr=0.1)  # type: ignore[call-arg]
        (step_of(optimizer) if is_plain else optimizer.step)()
        ends.append(weight.detach().clone())
    assert torch.equal(*ends)
