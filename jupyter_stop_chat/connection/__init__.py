"""A connection: frames in from one client, and one writer with a cursor in each message."""

from .connection import Connection
from .outbox import STALLED_AFTER, STALLED_CODE

__all__ = ["STALLED_AFTER", "STALLED_CODE", "Connection"]
