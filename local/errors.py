"""The root of the errors a command ends with in one line."""


class CommandError(Exception):
    """Something the user can mend; the message is one line that says what is wrong, and what to do."""
