"""People as judges: a blind listening test of a dataset folder, and how far listeners agree."""
