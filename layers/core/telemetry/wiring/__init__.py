"""From a function's settings to its stores and services: one module per function, so that each imports only its own."""
