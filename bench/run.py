"""`make bench`: measure the pages that a person reads most, against a real Dovecot, and print Markdown tables.

Nothing here may do more than find the packages beside it: `suite` does the rest.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from bench.suite import main

    sys.exit(main())
