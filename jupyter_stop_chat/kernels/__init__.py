"""Kernels as tools use them: a run of one cell, and the end of that run and of no other."""

from __future__ import annotations

from .host import Host
from .in_kernel import REPLY, REQUEST
from .kernels import LiveKernels

#: The kinds of messages that are of no person's doing: a kernel that has them is no busier.
UNTRACKED = (REQUEST, REPLY)

__all__ = ["UNTRACKED", "Host", "LiveKernels"]
