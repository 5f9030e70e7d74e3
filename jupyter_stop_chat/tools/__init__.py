"""The tools that come with the package: documents that a person works on, read and changed."""

from __future__ import annotations

from .built_in import BuiltInTools

__all__ = ["BuiltInTools"]
