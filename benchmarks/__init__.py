"""Both sides in one run, printed as a ratio."""
