"""Clips to train and measure on: read, encoded once, and put into batches."""
