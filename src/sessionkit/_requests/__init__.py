"""The request and its exchange.

- `recognition`: which request is this? `views` are the views of an environ, a scope and a framework's own request.
- `call_forms`: which argument of a verb is the request, the response, the session?
- `lookup`: which exchange does a given request have?
- `current`: which exchange is the current one? `activation` makes one current in a block.
- `entry`: which is current while one request is made inside another one?
- `gateway`: what every gateway does on entry. `gateway_arguments` checks what a gateway is given.
- `responses`: header lines for a response that no gateway writes.
"""
