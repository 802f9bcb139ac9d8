"""The page to try a model: one file, no other address is asked, and a policy that forbids all else."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib.resources import files


@cache
def content() -> bytes:
    """Return the page. It holds nothing of the model: what it shows it asks for, with the visitor's token."""
    return files("modelwright.service").joinpath("page.html").read_bytes()


@cache
def headers() -> list[tuple[bytes, bytes]]:
    """Return the headers that keep the page from running or loading anything but itself, and from being framed."""
    policy = (
        f"default-src 'none'; script-src {_hash('script')}; style-src {_hash('style')}; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"x-frame-options", b"DENY"),
        (b"referrer-policy", b"no-referrer"),
        (b"cache-control", b"no-store"),
    ]


def _hash(tag: str) -> str:
    found = re.search(rb"<" + tag.encode() + rb">(.*?)</" + tag.encode() + rb">", content(), re.DOTALL)
    assert found is not None, f"the page has a {tag}"
    return "'sha256-" + base64.b64encode(hashlib.sha256(found[1]).digest()).decode() + "'"
