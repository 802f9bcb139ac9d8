"""The handbook: the concepts of the trade, each with an experiment that runs on the reader's own data."""
