"""The public checkpoints of Wan: catalog, download, conversion, loading."""
