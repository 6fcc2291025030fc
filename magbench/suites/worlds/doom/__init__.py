"""Still rooms and landscapes: the maps of Freedoom, with a camera that is placed exactly."""
