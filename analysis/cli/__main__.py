"""`python -m analysis.cli` is `serinus`."""

from analysis.cli import main

main()
