"""The commands around the board: from a finished run to a row that others can check."""
