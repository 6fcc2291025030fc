"""What embedded suites are drawn from: canvases, photographs, and the paths that a camera takes over them."""
