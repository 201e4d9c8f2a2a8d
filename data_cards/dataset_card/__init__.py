"""The dataset card, a file a section."""
