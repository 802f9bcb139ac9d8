"""The words everyone speaks: frozen values, ports, errors; no input or output, no clock, no randomness."""
