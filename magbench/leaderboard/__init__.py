"""From records to what people look at: tables, plots and the contact sheet."""
