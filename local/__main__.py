"""`python -m local`."""

import signal
import sys

if __name__ == "__main__":
    # The imports below take a moment, and Ctrl-C is no reason for a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from local.command_line import main

    sys.exit(main())
