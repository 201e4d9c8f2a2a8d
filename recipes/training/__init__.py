"""The training recipes that come with m5ser: typed YAML, nothing else."""
