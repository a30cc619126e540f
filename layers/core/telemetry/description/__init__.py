"""The description of the whole API, as one OpenAPI 3.1 document. `make page` writes it; no function imports it.

Our own routes are described by the models that they answer with. The dialects' answers are plain JSON in the code, so
their models are here. Tests compare every answer of every function with the document (`tests/described.py`).
"""
