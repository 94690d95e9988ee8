"""Built-in preferences."""
