"""Run every benchmark, or those named: `python -m benchmarks step metrics`."""

import sys
from importlib import import_module

ALL = ("cli", "metrics", "step", "baselines", "evaluation", "processes", "neighbours", "suite")


def main(names: list[str]) -> None:
    """Run benchmarks by name.

    Raises:
        SystemExit: A name is unknown.
    """
    unknown = [name for name in names if name not in ALL]
    if unknown:
        raise SystemExit(f"no benchmark {', '.join(unknown)}; there are {', '.join(ALL)}")
    for name in names or ALL:
        import_module(f"benchmarks.bench_{name}").main()


if __name__ == "__main__":
    main(sys.argv[1:])
