"""The suites that are drawn here, from code or from installed pictures."""
