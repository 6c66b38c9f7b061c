"""One request's session: a Cookie header goes in, response header lines come out. Only `drivers` and `performing` do I/O.

In the order of a request:

- `settings`: the settings of a store. `framework_keys` has the keys of a framework's own session object.
- `request`: the view of a request.
- `exchange`: the exchange, which a gateway makes and the verbs call. `driven_exchange` has its base class: what drivers call.
- `reading`: opens the tokens, and enforces the fence and the barrier. `candidates` bounds the work. `expiry` enforces the
  idle and the absolute limit.
- `importing`: imports a session from another library's cookie. `bound_importers` gives importers their keys, and `conversion`
  converts their tokens.
- `loaded_session`: compares the session with what its cookies held. `state` is the same object, which verbs and assignments
  change. `stamps` makes ids and times. `update_guard` decides whether an update is accepted. `carried_members`: members
  that every update keeps. `spare_keys`: what a session that does not fit can do without.
- `deciding`: decides at the commit: nothing, renew, seal or end. `hidden_sessions` tells whether an end needs a barrier.
- `writing`: writes the session, the renewal cookie, the fence and the barrier. `clearing` clears stale chunks and ended
  sessions. `unreturned_cookie` warns of a browser that drops them.
- `unread_exchange`: the object that replaces the exchange of a request that ended before its session was read.

With a backend:

- `pointers`: reads the cookies that point to records. `loading` says which records to load, and finds the session in them.
- `planning`: decides the next operation on the backend. `record_owners` names the owner of a record.
- `server_side`: handles the backend's replies. `replaying` replays the steps of a request over the contents that another one
  wrote, and `merging` merges two changes.
- `operations`: the operations as values. `drivers` performs all that an exchange decides, blocking or awaited. `performing`
  performs one; `threads` runs blocking backends for async code. `replies` checks what a backend returns.
- `unfinished_work`: what goes on when its request is cancelled. `backend_warnings` logs what a backend finds in its settings.
"""
