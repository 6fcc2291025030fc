"""A table, records and comparisons in the formats of other programs: CSV, JSON, LaTeX, pandas."""
