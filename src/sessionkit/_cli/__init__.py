"""The command line, `python -m sessionkit`.

- `main`: the commands and their arguments.
- `inspection`: the report on a Cookie header. `pasted` finds the header in a text that was copied.
- `purging`: remove expired sessions.
- `demo`: the demo.
"""
