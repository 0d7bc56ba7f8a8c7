"""`python -m pipelines` is `searchask`."""

import sys

from pipelines.cli import main

sys.exit(main())
