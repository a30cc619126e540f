"""The admin API: a module for each resource, with its models and its routes."""
