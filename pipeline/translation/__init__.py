"""Utterances become lines: one file per engine."""
