"""The base of all errors that the person can mend: a sentence with field, value and fix."""

from __future__ import annotations


class InputError(Exception):
    """What was given is wrong; the command says so and ends with exit code 2."""
