"""One request's session: a Cookie header goes in, response header lines come out. Only `drivers` does I/O.

In the order of a request:

- `config`: the settings of a store. `framework_keys` has the keys of a framework's own session object.
- `request`: the view of a request.
- `exchange`: the exchange, which a gateway makes and the verbs call.
- `reading`: opens the tokens, and enforces the fence, the barrier, the idle and the absolute expiry. `candidates` bounds
  the work.
- `importing`: imports a session from another library's cookie. `importers` binds importers and converts tokens.
- `state`: the contents now, and the guard of an update. `owner` knows who the user is, `stamps` makes ids and times.
- `deciding`: decides at the commit: nothing, renew, seal or end. `hidden` tells whether an end takes a barrier.
- `writing`: writes the session, the renewal cookie, the fence and the barrier. `clearing` clears stale chunks and ended
  sessions.

With a backend:

- `pointers` reads the cookies that point to records. `loading` says which records to load, and finds the session in them.
- `server` decides the next operation on the backend, and takes its reply. `merging` replays the steps of a request over the
  contents that another one wrote. `record_owners` names the owner of a record.
- `operations` has the operations as values. `drivers` performs them, blocking or awaited.
"""
