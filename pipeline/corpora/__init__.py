"""A corpus becomes utterances: one file per corpus, each with its own label mapping."""
