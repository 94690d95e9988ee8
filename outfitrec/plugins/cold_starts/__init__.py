"""Cold starts: users known by a few liked outfits, served without training."""
