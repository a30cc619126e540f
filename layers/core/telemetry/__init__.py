"""Telemetry for software vendors: every point kept, piracy flagged, unique users counted exactly."""
