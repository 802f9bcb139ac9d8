"""Monitoring: windows, drift, quality with late labels and without, alarms within a budget, advice."""
