"""Revisit clips: what a clip and a suite are, their format on disk, and where they come from."""
