"""The cookies of a session.

- `settings`: their settings, and the Set-Cookie lines that these make.
- `header`: the Cookie header.
- `chunks`: a token that is too long for one cookie. `capacity`: how much fits.
- `fence` and `barrier`: the cookies that keep ended sessions from coming back. `renewal`: the cookie that moves the idle expiry.
- `caching`: the caching headers of a response.
"""
