"""One family of models per module behind one port; blend and calibration."""
