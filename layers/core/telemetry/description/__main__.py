"""`python -m telemetry.description FILE` writes the document."""

import json
import sys
from pathlib import Path

from telemetry.description.document import document

Path(sys.argv[1]).write_text(json.dumps(document(), separators=(",", ":"), ensure_ascii=False))
