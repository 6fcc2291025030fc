"""Fetching from a hub, and where fetched things are kept."""
