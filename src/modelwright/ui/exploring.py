"""The commands that look for order in a table without a target: cluster, anomalies."""

from __future__ import annotations

COMMANDS = ()
