"""Closing days of product usage, and reading what they made: developers and companies."""
