"""Explicit spatial memories: they hold frames as pictures and look things up by the camera. No network."""
