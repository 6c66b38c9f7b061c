"""quart.session: Quart's own extras, tasks, errors, and the places where other session extensions lose writes."""

from __future__ import annotations

import asyncio

import pytest
from quart import (
    Quart,
    copy_current_request_context,
    flash,
    get_flashed_messages,
    render_template_string,
    request,
    session,
)

from sessionkit import (
    CookieSettings,
    NoActiveRequestError,
    SessionStore,
    delete_session,
    get_session,
    update_session,
)
from sessionkit_quart import SessionKit

from .visitor import ANN, SECRET, Browser, names

# ---- Quart's extras


async def test_session_transaction_writes_what_a_request_reads_and_reads_what_it_wrote(
    app, browser
):
    async with browser.client.session_transaction(scheme="https") as opened:
        opened["user"] = {"sub": "ann"}
        opened["cart"] = {"items": ["tea"]}
    assert await browser.json("/me") == {**ANN, "cart": {"items": ["tea"]}}
    async with browser.client.session_transaction(scheme="https") as opened:
        assert opened["user"] == {"sub": "ann"}
        opened["cart"]["items"].append("cups")
    assert await browser.json("/me") == {**ANN, "cart": {"items": ["tea", "cups"]}}


async def test_session_transaction_that_empties_the_session_is_a_logout(browser):
    await browser.ask("/login")
    async with browser.client.session_transaction(scheme="https") as opened:
        opened.clear()
    assert await browser.json("/me") == {}
    assert browser.names == {"__Host-out.session"}


async def test_flashed_messages_come_once_and_as_tuples(app, browser):
    @app.get("/flash")
    async def flash_twice():
        await flash("saved")
        await flash("careful", "warning")
        return ""

    @app.get("/messages")
    async def messages():
        found = get_flashed_messages(with_categories=True)
        return {
            "found": [list(one) for one in found],
            "kinds": [type(one).__name__ for one in found],
        }

    await browser.ask("/flash")
    assert await browser.json("/messages") == {
        "found": [["message", "saved"], ["warning", "careful"]],
        "kinds": ["tuple", "tuple"],
    }
    assert await browser.json("/messages") == {"found": [], "kinds": []}


@pytest.mark.parametrize(
    ("transient", "permanent", "max_age"),
    [(False, None, True), (False, False, False), (True, None, False), (True, True, True)],
)
async def test_permanent_decides_whether_the_browser_forgets_it(transient, permanent, max_age):
    app = Quart(__name__)
    SessionKit(app, store=SessionStore(SECRET, cookie=CookieSettings(transient=transient)))

    @app.get("/")
    async def index():
        session["a"] = 1
        if permanent is not None:
            session.permanent = permanent
        return {"permanent": session.permanent}

    answer = await Browser(app).ask("/")
    assert await answer.json == {"permanent": bool(permanent)}
    assert ("Max-Age=" in answer.headers["Set-Cookie"]) is max_age


async def test_modified_is_true_exactly_when_something_differs(app, browser):
    @app.get("/modified")
    async def modified():
        found = [session.modified]
        session["user"]["name"] = "Ann"
        found.append(session.modified)
        del session["user"]["name"]
        session.modified = True  # what an extension without change detection needs
        return [*found, session.modified]

    await browser.ask("/login")
    answer = await browser.ask("/modified")
    assert await answer.json == [False, True, False]
    assert names(answer) == []


async def test_the_session_is_in_templates(app, browser):
    @app.get("/page")
    async def page():
        return await render_template_string("{{ session.user.sub }}")

    await browser.ask("/login")
    assert await browser.text("/page") == "ann"


async def test_its_repr_shows_no_value(app, browser):
    app.add_url_rule("/repr", "/repr", lambda: repr(session))
    await browser.ask("/login")
    assert await browser.text("/repr") == "<QuartSession keys=['user']>"


async def test_a_view_that_does_not_use_it_does_not_look_at_it(app, browser):
    app.add_url_rule("/plain", "/plain", lambda: "plain")
    await browser.ask("/login")
    answer = await browser.ask("/plain")
    assert ("Cookie" in answer.vary, names(answer)) == (False, [])


# ---- tasks and threads


async def test_a_plain_view_in_its_thread_writes(app, browser):
    app.add_url_rule(
        "/write",
        "/write",
        lambda: {"done": update_session({**ANN, "by": "a thread"}), "now": session.update(n=1)},
    )
    await browser.ask("/login")
    await browser.ask("/write")
    assert await browser.json("/me") == {**ANN, "by": "a thread", "n": 1}


async def test_a_task_of_the_request_has_all_forms(app, browser):
    @app.get("/task")
    async def task():
        @copy_current_request_context
        async def work():
            update_session(request, {**(get_session() or {}), "by": "a task"})
            session["user"]["name"] = "Ann"

        await asyncio.create_task(work())
        return ""

    await browser.ask("/login")
    await browser.ask("/task")
    assert await browser.json("/me") == {"user": {"sub": "ann", "name": "Ann"}, "by": "a task"}


async def test_a_background_task_outlives_the_request(app, browser):
    found = asyncio.Queue()
    answered = asyncio.Event()

    @app.get("/start")
    async def start():
        async def work():
            await answered.wait()
            try:
                await found.put(get_session())
            except NoActiveRequestError as error:
                await found.put(type(error))

        app.add_background_task(work)
        return ""

    await browser.ask("/start")
    answered.set()
    assert await asyncio.wait_for(found.get(), 10) is NoActiveRequestError


# ---- errors


async def test_what_is_too_large_is_the_applications_error_and_has_its_page(app, browser):
    app.add_url_rule("/big", "/big", lambda: session.update(big="x" * 9000) or "")
    app.register_error_handler(500, lambda error: (type(error.original_exception).__name__, 500))
    await browser.ask("/login")
    answer = await browser.ask("/big")
    assert (answer.status_code, await answer.get_data(as_text=True)) == (
        500,
        "SessionTooLargeError",
    )
    assert await browser.json("/all") == ANN


async def test_a_500_keeps_a_logout_and_nothing_else(app, browser):
    def fail(before):
        before()
        raise ZeroDivisionError

    app.add_url_rule("/write", "/write", lambda: fail(lambda: session.update(n=1)))
    app.add_url_rule("/logout", "/logout", lambda: fail(delete_session))
    await browser.ask("/login")
    assert (await browser.ask("/write")).status_code == 500
    assert await browser.json("/all") == ANN
    assert (await browser.ask("/logout")).status_code == 500
    assert await browser.json("/all") == {}


async def test_after_request_functions_write_too(app, browser):
    @app.after_request
    async def count(response):
        session["n"] = session.get("n", 0) + 1
        return response

    await browser.ask("/login")
    await browser.ask("/me")
    assert await browser.json("/me") == {**ANN, "n": 2}
