"""Telemetry for software vendors: every point kept, piracy flagged, unique users counted exactly."""

__version__ = "0.2.0"
"""As CHANGELOG.md, pyproject.toml, the API's description and the page have it."""
