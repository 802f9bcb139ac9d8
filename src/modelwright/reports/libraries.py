"""Libraries that only some documents need: imported late, and explained when absent."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from modelwright.core.errors import MissingLibrary

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def needs(library: str, document: str) -> Iterator[None]:
    """Turn the absence of a library into MissingLibrary.

    Args:
        library: As it is installed.
        document: What it is needed for.
    """
    try:
        yield
    except (ImportError, OSError) as error:  # weasyprint raises OSError where the system lacks pango
        raise MissingLibrary(
            f"{library} is installed to make or read this",
            where=document,
            got=str(error).splitlines()[0][:200] if str(error) else type(error).__name__,
            fix="install it: pip install 'modelwright[documents]'",
        ) from error
