"""Making the videos of a run, and importing finished ones."""
