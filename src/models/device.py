"""The device on which torch computes, and its number types."""

import torch

from src.core import params
from src.core.errors import UserError
from src.models.recipes import Device


def selected() -> torch.device:
    """Return the device that params.yaml names.

    Raises:
        UserError: this machine does not have it.
    """
    name = params.get("device", Device).root
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available[name]:
        raise UserError(f"params.yaml: device: this machine has no {name}; choose cpu")
    return torch.device(name)


def torch_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the torch type for a recipe's `precision`, `float32` or `float64`.

    Raises:
        UserError: the device does not support it.
    """
    if device.type == "mps" and precision == "float64":
        raise UserError("params.yaml: device: mps has no float64; set the recipe's precision to float32 or choose cpu")
    dtype: torch.dtype = getattr(torch, precision)
    return dtype
