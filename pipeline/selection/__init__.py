"""Scores become outcomes: gates, the best take of a line, duplicates, balance and splits."""
