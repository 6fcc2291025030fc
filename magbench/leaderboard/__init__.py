"""The board: submissions that travel, are checked by others, and stand beside one another without lying."""
