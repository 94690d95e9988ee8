"""Distillers: what the teacher says about the negatives."""
