"""Data-parallel training: each process computes its share of every batch.

All draw the same random numbers for whole batches, so that neither the order of the images nor their augmentation
depends on the number of processes. Rounding does, and so does batch normalization, with statistics of each share.
"""

import os
import re
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel

from src.core.errors import UserError

LOST = re.compile(r"gloo|nccl|closed by peer|reset by peer", re.IGNORECASE)


@dataclass(frozen=True)
class Processes:
    """The rank of this process and the size of its group.

    Attributes:
        rank: from 0.
        count: the number of processes.
    """

    rank: int = 0
    count: int = 1

    @property
    def first(self) -> bool:
        """Whether this is the process that measures and writes."""
        return self.rank == 0

    def share(self, batch: Tensor) -> Tensor:
        """Return the rows of a whole batch (B, …) that are this process's; shares differ by one row at most."""
        return batch if self.count == 1 else torch.tensor_split(batch, self.count)[self.rank]

    def parallel(self, network: nn.Module) -> nn.Module:
        """Return `network` such that a backward pass gives every process the mean of the gradients of all."""
        return network if self.count == 1 else DistributedDataParallel(network, broadcast_buffers=False)

    def gather(self, logits: Tensor, count: int) -> Tensor:
        """Return the logits (count, C) of the whole batch from those of this process's share.

        Every process then computes the loss of the whole batch, so that any loss and unequal shares are correct. Only
        its own logits have a gradient; the sum over the processes is the gradient of the batch.
        """
        if self.count == 1:
            return logits
        whole = logits.new_zeros(count, logits.shape[1])
        self.share(whole).copy_(logits.detach())
        distributed.all_reduce(whole)
        # DistributedDataParallel takes the mean over the processes; torch's types lack `register_hook`
        logits.register_hook(lambda gradient: gradient * self.count)  # type: ignore[no-untyped-call]
        parts = [*torch.tensor_split(whole, self.count)]
        parts[self.rank] = logits
        return torch.cat(parts)


ALONE = Processes()
"""A process that torchrun did not start."""


@contextmanager
def joined(device: torch.device) -> Iterator[Processes]:
    """Yield the group of processes that torchrun started, once all have joined; without torchrun, a group of one.

    With cuda each has a GPU of its own. Only the first prints.

    Raises:
        UserError: there are fewer GPUs than processes, or another process failed.
    """
    if not distributed.is_torchelastic_launched():
        yield ALONE
        return
    signal.signal(signal.SIGTERM, _ended)  # torchrun stops the others when one fails
    if device.type == "cuda":
        local, found = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
        if local >= found:
            raise UserError(
                f"params.yaml: launcher: more processes than the {found} GPUs of this machine; lower --nproc-per-node"
            )
        torch.cuda.set_device(local)
    try:
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
        processes = Processes(distributed.get_rank(), distributed.get_world_size())
        with (
            Path(os.devnull).open("w", encoding="utf-8") as nowhere,
            redirect_stdout(sys.stdout if processes.first else nowhere),
        ):
            yield processes
    except RuntimeError as error:
        if isinstance(error, distributed.DistError) or LOST.search(str(error)):
            _ended()
        raise
    distributed.destroy_process_group()


def _ended(*_: object) -> None:
    raise UserError("another process of this training failed, which stopped this one; run it again")
