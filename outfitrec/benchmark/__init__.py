"""The benchmark: suites of recipes, run over seeds, compared with honest statistics, and reported."""
