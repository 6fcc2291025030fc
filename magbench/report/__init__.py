"""The report of one run: tables, plots, contact sheet, comparison."""
