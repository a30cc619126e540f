"""How the functions are wired: from settings to stores, from stores to services.

Each function has a module, so that it imports only what it needs; `wired` keeps the result for the life of a process.
"""
