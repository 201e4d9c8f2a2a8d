"""Jinja templates of what a person reads: the dataset card and the report."""
