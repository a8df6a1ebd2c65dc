"""Torch's process-wide settings for reproducible results."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def repeatable(threads: int | None = None) -> Iterator[None]:
    """Within this context equal seeds and inputs give equal results on a machine; the settings are put back after it.

    An operation that has no deterministic form on the device gives a warning.

    Args:
        threads: how many torch uses; None leaves their number as it is.
    """
    # cuBLAS reads it when it starts; torch before 2.13, as on Kaggle, needs it to repeat products exactly
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    deterministic, found = torch.get_deterministic_debug_mode(), torch.get_num_threads()
    memory: Any = torch.utils.deterministic
    tf32 = torch.backends.cudnn.allow_tf32
    filled = memory.fill_uninitialized_memory
    # as use_deterministic_algorithms(True, warn_only=True), which would also import and set torch's compiler: a second
    torch.set_deterministic_debug_mode("warn")
    # nothing reads a tensor before it is set, and filling each new one costs a sixth of a cnn's training time
    memory.fill_uninitialized_memory = False
    torch.backends.cudnn.allow_tf32 = False  # GPUs would round float32 to ten bits in convolutions
    torch.set_num_threads(threads or found)
    try:
        yield
    finally:
        torch.set_deterministic_debug_mode(deterministic)
        memory.fill_uninitialized_memory = filled
        torch.backends.cudnn.allow_tf32 = tf32
        torch.set_num_threads(found)
