"""Lines become takes: one file per engine."""
