"""The workshop: plans, races and blends candidates, and fits the final model."""
