"""The work store and what lies in it: from the corpus' batches to what was decided of each take."""
