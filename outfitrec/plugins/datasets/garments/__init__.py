"""Garments drawn from a few numbers each: silhouettes, fabrics and details, at any size."""
