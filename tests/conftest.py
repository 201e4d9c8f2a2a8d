"""For all tests."""

# Loaded before any thread starts: Python 3.11 can break when it parses in two threads at once
# ("AST constructor recursion depth mismatch"), and hypothesis' plugin would load it at the end.
import hypothesis.strategies  # noqa: F401
