"""`python -m ktviz`: the command line."""

from ktviz.cli.main import main

main()
