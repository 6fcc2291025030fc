"""The cache policies beside MAG, one small file each."""
