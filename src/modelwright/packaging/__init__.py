"""The model package: write, verify, read, run."""
