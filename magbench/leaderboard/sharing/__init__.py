"""Results on the hub: a submission offered, a board published, a model's card filled in."""
