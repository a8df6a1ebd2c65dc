"""Where torch computes."""

import torch

from src import params
from src.errors import UserError
from src.recipes import Device


def load() -> torch.device:
    """Return the device that params.yaml names.

    Raises:
        UserError: this machine does not have it.
    """
    name = params.load("device", Device).root
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not there[name]:
        raise UserError(f"params.yaml: device: this machine has no {name}; choose cpu")
    return torch.device(name)
