"""The feature plan: numbers, categories, dates and text become one matrix; fitted plans are plain data."""
