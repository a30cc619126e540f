"""The rollup function."""
