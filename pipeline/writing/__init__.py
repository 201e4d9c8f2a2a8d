"""From what was decided of each take to the dataset folder of a build."""
