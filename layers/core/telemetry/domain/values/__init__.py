"""Values that products send with their telemetry: numbers, pairs of numbers, and texts, summed up in bounded space.

A summary of values is the same whatever the order they came in and however they were put together, but for names: an
hour has room for some names of groups, versions and texts, which go to those that come first.
"""
