"""What the tests of the local model share."""

from __future__ import annotations

from tests.aids.weights import local_model_data_dir

__all__ = ["local_model_data_dir"]
