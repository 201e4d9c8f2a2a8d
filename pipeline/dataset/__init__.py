"""The dataset folder: its rows, shards and manifest, written and read."""
