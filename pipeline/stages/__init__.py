"""The work on one batch: read, translate, synthesize, judge. Each is a plain function.

A stage reads tables of the work store and writes one; for every row it was given it writes a row,
with its result or with its error.
"""
