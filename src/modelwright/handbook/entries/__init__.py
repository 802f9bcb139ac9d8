"""The entries, one module each."""
