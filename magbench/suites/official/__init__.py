"""The official MAG-Bench data and protocol."""
