"""Lets the tests of the house import the floor table beside them."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
