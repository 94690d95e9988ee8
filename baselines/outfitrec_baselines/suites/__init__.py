"""Suites that outfitrec ships."""
