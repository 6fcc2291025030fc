"""Metrics of one generated frame against one true frame: each file is one, its ``METRIC`` says what it is."""
