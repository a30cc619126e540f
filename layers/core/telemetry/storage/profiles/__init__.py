"""Developers and companies, in an environment's aggregates. All their partitions begin with `profiles#`."""
