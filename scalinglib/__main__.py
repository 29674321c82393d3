"""``python -m scalinglib``."""

import sys

from scalinglib.report.command import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
