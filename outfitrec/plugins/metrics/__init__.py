"""Per-user values of a ranking."""
