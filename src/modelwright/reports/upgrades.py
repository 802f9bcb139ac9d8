"""What came of replaying packages under the installed versions: terminal text and JUnit XML."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from modelwright.reports.terminal import table, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping

NOTED = 20
"""Packages whose reasons are listed; the rest are counted."""


def as_text(told: Mapping[str, Any], width: int) -> str:
    """Return the packages, what differs first, and which versions changed."""
    packages = sorted(told["packages"], key=lambda p: p["verdict"] == "same")
    if not packages:
        return "No package is registered here."
    rows = [("package", "answers", "max difference", "versions changed")]
    rows += [(p["name"], p["verdict"], _number(p["max_difference"]), _changes(p)) for p in packages]
    lines = table(rows, width=width)
    off = [p for p in packages if p["verdict"] != "same"]
    lines += ["", *(wrapped(f"{p['name']}: {p['reason']}.", width) for p in off[:NOTED])] if off else []
    lines += [f"… and {len(off) - NOTED:,} more"] if len(off) > NOTED else []
    counts = told["counts"]
    end = f"{counts['same']} of {len(packages)} give the answers they gave"
    end += "" if not off else f"; {counts['different']} answer otherwise, {counts['unreadable']} cannot be read here"
    return "\n".join([*lines, "", wrapped(f"{end}.", width)])


def _number(value: float | None) -> str:
    return "" if value is None else "0" if value == 0 else f"{value:.2g}"


def _changes(package: Mapping[str, Any]) -> str:
    changed = package["changed"]
    shown = ", ".join(f"{c['name']} {c['then']} → {c['now'] or 'absent'}" for c in changed[:3])
    return shown + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")


def as_junit(told: Mapping[str, Any]) -> str:
    """Return the packages as JUnit XML, one test case each."""
    packages, counts = told["packages"], told["counts"]
    head = f'tests="{len(packages)}" failures="{counts["different"]}" errors="{counts["unreadable"]}" skipped="0"'
    cases = "".join(_case(p) for p in packages)
    suite = f'<testsuite name="modelwright upgrade-check" {head}>{cases}</testsuite>'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {head}>{suite}</testsuites>\n'


def _case(package: Mapping[str, Any]) -> str:
    tag = {"different": "failure", "unreadable": "error"}.get(package["verdict"])
    reason = escape(package["reason"], quote=True)
    body = "" if tag is None else f'<{tag} message="{reason}"/>'
    name = escape(package["name"], quote=True)
    return f'<testcase classname="modelwright.upgrade" name="{name}">{body}<system-out>{reason}</system-out></testcase>'
