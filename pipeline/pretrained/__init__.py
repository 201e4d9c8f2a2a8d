"""Models that others trained: found, checked, opened, and run in batches on a device."""
