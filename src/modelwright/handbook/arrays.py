"""The type of answers: positions of labels, or values."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

Answers = npt.NDArray[Any]
