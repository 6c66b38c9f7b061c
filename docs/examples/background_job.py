"""Background jobs: what they may take from a request, and how threads and long-lived tasks find the session."""

import asyncio
import contextvars
import queue
import secrets
import threading
from collections.abc import Callable

from sessionkit import NoActiveRequestError, SessionStore, bind, get_session
from sessionkit.testing import session_cookies

store = SessionStore(secrets.token_urlsafe(32))
cookies = "; ".join(
    f"{name}={value}" for name, value in session_cookies(store, {"user": {"sub": "ada"}}).items()
)
jobs: "queue.Queue[Callable[[], None] | None]" = queue.Queue()
greeted: list[str] = []


def worker() -> None:
    """Run the jobs of all requests in one thread, which must not belong to any request."""
    while (job := jobs.get()) is not None:
        job()


def user() -> str:
    """Return the user of the current request."""
    session = get_session()
    assert session is not None
    return str(session["user"]["sub"])


# 1. A job outlives the request, so it gets values, never the session: the response has already been sent.
def greet(name: str) -> None:
    greeted.append(f"Hello, {name}")


# The worker gets an empty context. Otherwise a worker that a request starts would keep the session of that request.
thread = threading.Thread(target=contextvars.Context().run, args=(worker,), daemon=True)
thread.start()
with store.exchange(cookies):
    name = user()
    jobs.put(lambda: greet(name))
jobs.put(None)
thread.join()
assert greeted == ["Hello, ada"]


# 2. A thread that works for the current request does not inherit its context: bind the function.
found: list[str] = []
with store.exchange(cookies):
    helper = threading.Thread(target=bind(lambda: found.append(user())))
    helper.start()
    helper.join()
assert found == ["ada"]


# 3. An asyncio task inherits the context. If the task outlives the request, give it an empty context.
async def serve() -> tuple[str, str]:
    async def look() -> str:
        try:
            return user()
        except NoActiveRequestError:
            return "no request"

    with store.exchange(cookies):
        inside = asyncio.create_task(look())
        outside = contextvars.Context().run(asyncio.create_task, look())
        return await inside, await outside


assert asyncio.run(serve()) == ("ada", "no request")


# 4. A bound function that is called after the end of its request raises an error.
with store.exchange(cookies):
    late = bind(user)
try:
    late()
    said = "a session"
except NoActiveRequestError as error:
    said = str(error)
assert said.startswith("the request this session belonged to has finished")

print("background job: ok")
