"""Measures with intervals, importance, convergence, bias and variance: judges predictions, trains nothing."""
