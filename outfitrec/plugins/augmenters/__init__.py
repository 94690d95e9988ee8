"""Augmenters: altered views of outfits."""
