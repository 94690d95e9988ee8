"""The type checker that the test session installs over the package."""

from beartype import BeartypeConf, beartype

# As for mypy, an int is a float.
checked = beartype(conf=BeartypeConf(is_pep484_tower=True))
