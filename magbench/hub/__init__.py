"""Fetching from a hub and writing to it, and where fetched things are kept."""
