"""Figures. matplotlib is imported when one is drawn: the extra ``plots`` brings it."""
