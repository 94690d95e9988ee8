"""Recipes of the baselines."""
