"""Negatives: unobserved outfits of a step or of an evaluation."""
