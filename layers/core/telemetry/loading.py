"""While a function is loaded, nothing is looked for that could be thrown away: what is made then stays.

Looking takes a twelfth of a cold start, and later a part of each request. Importing this module begins it, `done` ends
it.
"""

import gc

from telemetry.settings import is_on_lambda

if is_on_lambda():
    gc.disable()


def done() -> None:
    """Leaves alone what is there now; garbage is collected as ever from here on."""
    if is_on_lambda():
        gc.freeze()
        gc.enable()
