"""``python -m modelwright.ui`` is the command line."""

from modelwright.ui.cli import main

main()
