"""The data path: a corpus of English emotional utterances becomes a multilingual dataset folder."""
