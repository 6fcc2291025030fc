"""One run on disk: its folder, its generations, its records."""
