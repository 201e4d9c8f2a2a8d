"""A part of a published set: some of its rows, as a set of their own."""
