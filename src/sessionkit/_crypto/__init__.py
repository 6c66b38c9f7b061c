"""What secrets seal.

- `keyring`: from secrets to keys.
- `sealing`: the native token.
- `records`: the pointer and the record of a session on the server.
- `sealed_values`: small values of the application.
"""
