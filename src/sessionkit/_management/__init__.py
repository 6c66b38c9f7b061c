"""Manage sessions on the server. Each function yields the operations that the backend performs.

- `listing`: the sessions of a user.
- `revoking`: end one of them, or all. `finishing` finishes a revocation even if its caller is cancelled.
- `purging`: remove the expired ones.
- `validity`: ask the backend again whether the session of a request is valid.
- `steps`: perform the operations, blocking or awaited.
"""
