"""A run on a Ray cluster: the same units and the same files as in one process."""
