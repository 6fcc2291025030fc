"""Metrics of other packages, scored where ``MAGBENCH_METRICS`` names them."""
