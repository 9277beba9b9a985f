"""``python -m ecgclf`` is the command ``ecgclf``."""

import sys

from ecgclf.cli import main

sys.exit(main())
