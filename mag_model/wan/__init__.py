"""Wan2.1: the public backbone, its checkpoints, its codec and its text encoder."""
