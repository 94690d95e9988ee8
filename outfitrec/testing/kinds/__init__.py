"""How a component of each kind is used, and what it keeps to: a file a kind."""
