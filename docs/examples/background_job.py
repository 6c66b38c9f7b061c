"""Background jobs: what they may take from a request, and how threads and long-lived tasks get it."""

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
    """One thread for the jobs of all requests; it must belong to none of them."""
    while (job := jobs.get()) is not None:
        job()


def user() -> str:
    """Who is signed in, for code that is not told which request it works for."""
    session = get_session()
    assert session is not None
    return str(session["user"]["sub"])


# 1. A job that outlives the request takes values with it, never the session: the response has gone out by then.
def greet(name: str) -> None:
    greeted.append(f"Hello, {name}")


# An empty context: a worker started within a request would otherwise go on seeing that request's session.
thread = threading.Thread(target=contextvars.Context().run, args=(worker,), daemon=True)
thread.start()
with store.exchange(cookies):
    name = user()
    jobs.put(lambda: greet(name))
jobs.put(None)
thread.join()
assert greeted == ["Hello, ada"]


# 2. A thread that works for the request while it lasts does not inherit its context: bind the function.
found: list[str] = []
with store.exchange(cookies):
    helper = threading.Thread(target=bind(lambda: found.append(user())))
    helper.start()
    helper.join()
assert found == ["ada"]


# 3. An asyncio task inherits the context. What is started now and lives on must not: give it an empty one.
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


# 4. A bound function that is called after its request has ended says so.
with store.exchange(cookies):
    late = bind(user)
try:
    late()
    said = "a session"
except NoActiveRequestError as error:
    said = str(error)
assert said.startswith("the request this session belonged to has finished")

print("background job: ok")
