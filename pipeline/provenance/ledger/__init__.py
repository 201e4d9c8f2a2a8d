"""The ledger: one YAML file for each kind of component, an entry for each engine or model.

`pipeline.provenance.components` says what the fields mean and checks them when they are read.
"""
