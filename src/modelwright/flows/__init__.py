"""One module a verb: the recipe, readable top to bottom; also the Python API."""
