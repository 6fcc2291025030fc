"""What follows from scores: regions, retention, noise, the effect of history."""
