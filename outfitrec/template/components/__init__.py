"""A component of each kind that works, where `outfitrec new-plugin` starts from: each is called ``Mine``."""
