"""Torch's process-wide switches for a repeatable training."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def repeatable(threads: int | None = None) -> Iterator[None]:
    """Within this context equal seeds give equal networks, and torch uses that many threads; None leaves their number.

    An operation that has no deterministic form on the device gives a warning.
    """
    deterministic, found = torch.are_deterministic_algorithms_enabled(), torch.get_num_threads()
    memory: Any = torch.utils.deterministic
    filled = memory.fill_uninitialized_memory
    torch.use_deterministic_algorithms(True, warn_only=True)
    # the loop reads no tensor before it is set, and filling each new one costs a sixth of the time of a cnn
    memory.fill_uninitialized_memory = False
    torch.set_num_threads(threads or found)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(deterministic)
        memory.fill_uninitialized_memory = filled
        torch.set_num_threads(found)
