"""Tables and plots: shapes, formats and style, without knowing what they show."""
