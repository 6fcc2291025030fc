"""Small tools that everything else stands on: errors, files, seeds, provenance, processes."""
