"""The close_day function."""
