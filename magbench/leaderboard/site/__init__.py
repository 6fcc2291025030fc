"""The parts of the board's pages: HTML, plots as SVG, sheets of frames. All of it is text until it is written."""
