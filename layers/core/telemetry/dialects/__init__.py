"""Wire formats of other vendors (docs/protocols.md). Each dialect is one module or package here, all of it in there.

`body/` reads bodies for all of them, `failure.py` has the type of answers to errors, `stored.py` reads records again.

What a new dialect needs:

1. A module with `failure(error, now)`, the answer to every error, and its own parsing and answers.
2. If it takes events: `event_of`, `contents_of` and `said_in` in that module, each of an `Element` (`body/reader.py`);
   a member of `Dialect` (`domain/event.py`); a case in `stored.py`. mypy names what is missing.
3. Routes: in the template, in `PATHS` and `Api` (`web/routes.py`), and in the `app.py` of a function, with the
   dialect's `failure`. Tests compare the template with both tables.
"""
