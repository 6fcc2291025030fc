"""VBench's dimensions, by VBench itself: an adapter to the `vbench` program of another environment."""
