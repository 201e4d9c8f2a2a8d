"""Prosody: what is measured on a clip, what is asked of a take, and the means to reach it."""
