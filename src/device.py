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


def torch_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the type of torch's numbers for a recipe's `precision`, `float32` or `float64`.

    Raises:
        UserError: the device has no such numbers.
    """
    if device.type == "mps" and precision == "float64":
        raise UserError("params.yaml: device: mps has no float64; set the recipe's precision to float32 or choose cpu")
    dtype: torch.dtype = getattr(torch, precision)
    return dtype
