"""Video files, their formats and frame rates."""
