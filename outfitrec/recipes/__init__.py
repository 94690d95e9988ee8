"""Recipes that outfitrec ships."""
