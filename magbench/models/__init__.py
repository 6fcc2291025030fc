"""What the harness asks of a model, and how models and references are found."""
