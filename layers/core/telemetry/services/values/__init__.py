"""Values of telemetry: kept beside the counts of rollup, closed beside reports, and read for staff."""
