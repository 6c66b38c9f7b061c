"""Code that several adapters share.

- `contents`: the base of frameworks' own session objects. `session_place` sees what an application puts in the place of one.
- `scope_session`: `scope["session"]`, the session object of Starlette, FastAPI and Litestar.
- `extension`: the base of extensions (`SessionKit(app, store=store)`). `flask_extension` and `flask_session` serve Flask and Quart,
  and `socket_exchange` the events of their sockets.
- `guards`: the responses to a visitor who is not signed in. `decorators` makes decorators and hooks of them, and `return_to`
  says where to go after the login.
- `merged_settings`, `dotted_settings`, `flask_settings` and `starlette_arguments`: a store made from a framework's settings.
- `session_keys`: texts that name a record on the server, for frameworks that look up a session by a key.
"""
