"""The device on which torch computes, and its data types."""

import torch

from src.core import params
from src.core.errors import UserError
from src.models.recipes import Device


def selected() -> torch.device:
    """Return the device that params.yaml selects.

    Raises:
        UserError: this machine does not have it.
    """
    name = params.get("device", Device).root
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available[name]:
        raise UserError(f"params.yaml: device: this machine has no {name}; choose cpu")
    return torch.device(name)


def torch_dtype(precision: str, device: torch.device) -> torch.dtype:
    """Return the data type of weights and images for a recipe's `precision`: float64, or float32 for the others.

    Raises:
        UserError: the device does not support it.
    """
    if device.type == "mps" and precision == "float64":
        raise UserError("params.yaml: device: mps has no float64; set the recipe's precision to float32 or choose cpu")
    return torch.float64 if precision == "float64" else torch.float32


def layer_precision(precision: str, device: torch.device) -> str:
    """Return the precision in which the layers of a network compute in training, for a recipe's `precision`.

    It is `bfloat16` only where the device has instructions for it: emulated, it is many times slower than float32. GPUs
    that have them for float16 alone, such as the T4, compute in `float16`.
    """
    if precision != "bfloat16":
        return precision
    if device.type == "cuda":
        major, _ = torch.cuda.get_device_capability(device)
        return "bfloat16" if major >= 8 else "float16" if major == 7 else "float32"
    capabilities = torch.cpu.get_capabilities() if device.type == "cpu" else {}
    has_it = any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))
    return "bfloat16" if has_it else "float32"
