"""Suites that are drawn on the user's machine; each file is one, its ``SUITE`` says what it is."""
