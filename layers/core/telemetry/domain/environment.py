"""The customer's environments."""

from enum import StrEnum


class Environment(StrEnum):
    """A customer's environment. Not a deploy stage: each deployment holds all three, in tables of their own."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"
