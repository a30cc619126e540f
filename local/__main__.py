"""`python -m local`."""

import signal
import sys
from pathlib import Path

if __name__ == "__main__":
    # The imports below take a moment, and Ctrl-C is no reason for a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # make sets PYTHONPATH; who starts it by hand need not know that
    sys.path.append(str(Path(__file__).resolve().parent.parent / "layers" / "core"))
    from local.command_line import main

    sys.exit(main())
