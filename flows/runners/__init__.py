"""Where the work runs: worker processes of this machine, or a Dask or Ray cluster."""
