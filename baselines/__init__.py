"""Other rules for the cache, on the same backbone and the same base weights."""
