"""The three training stages: base, memory, joint."""
