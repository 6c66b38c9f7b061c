"""What a session is.

- `session`: the session object, its stamp, and the reasons why a request has no session.
- `lifetime`: when a session expires.
- `identity`: is a user signed in, and who is it? `who`: are two sessions of one user?
- `snapshot`: has a session changed?
- `json`: the serializers, and the check that a session is JSON. `json_errors` explains what is not, and `base64url` encodes.
- `tags`: values that JSON does not have, as Flask writes them.
- `models`: sessions as dataclasses and other models. `annotations` and `value_readers` read their fields, and `model_merging`
  writes them back.
- `events`: what a store reports.
- `tracebacks`: keep contents and secrets out of them.
- `given_arguments`: which settings were passed, and which are defaults.
"""
