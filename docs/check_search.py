"""Ask the search of the built pages what users ask, with its own script under Node: the right page must come first.

`nox -s docs` runs this file after the build: pytest docs/check_search.py.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

BUILT = Path(__file__).parent / "_build/html"

QUESTIONS = {
    "flask": "how-to/flask",
    "django": "how-to/django",
    "fastapi": "how-to/fastapi",
    "starlette": "how-to/starlette",
    "wsgi": "how-to/wsgi",
    "asgi": "how-to/asgi",
    "first app": "tutorial/first-app",
    "login": "how-to/login-and-logout",
    "login and logout": "how-to/login-and-logout",
    "oidc flask": "how-to/sign-in-with-openid-flask",
    "sso django": "how-to/sign-in-with-openid-django",
    "auth0 flask": "how-to/sign-in-with-openid-flask",
    "keycloak fastapi": "how-to/sign-in-with-openid-fastapi",
    "google django": "how-to/sign-in-with-openid-django",
    "two-factor": "how-to/two-factor-sign-in",
    "inactivity": "how-to/session-lifetime",
    "how long": "how-to/session-lifetime",
    "migrate from flask": "how-to/move-from-flask",
    "sticky sessions": "how-to/behind-a-proxy",
    "totp": "how-to/two-factor-sign-in",
    "remember me": "how-to/remember-me",
    "kiosk": "how-to/remember-me",
    "password reset": "how-to/links-in-mails",
    "confirm mail": "how-to/links-in-mails",
    "csrf": "how-to/csrf",
    "flask-wtf": "how-to/csrf",
    "impersonation": "how-to/act-as-another-user",
    "impersonate": "how-to/act-as-another-user",
    "jinja": "how-to/templates",
    "flash messages": "how-to/flash-messages",
    "templates": "how-to/templates",
    "session none": "how-to/why-is-the-session-none",
    "cookie not set": "how-to/why-is-the-session-none",
    "session not saved": "how-to/why-is-the-session-none",
    "change not saved": "how-to/why-is-the-session-none",
    "authlib flask": "how-to/sign-in-with-openid-flask",
    "authlib django": "how-to/sign-in-with-openid-django",
    "how large": "how-to/keep-sessions-small",
    "test my views": "how-to/test-your-app",
    "test views": "how-to/test-your-app",
    "behind a proxy": "how-to/behind-a-proxy",
    "two apps": "how-to/several-apps-one-session",
    "two applications": "how-to/several-apps-one-session",
    "one domain": "how-to/several-apps-one-session",
    "secret rotation": "how-to/rotate-secrets",
    "background job": "how-to/tasks-and-threads",
    "move from flask session": "how-to/move-from-flask",
    "migrate flask session": "how-to/move-from-flask",
    "log out everywhere": "how-to/log-out-everywhere",
    "list sessions": "how-to/log-out-everywhere",
    "anonymous sessions": "how-to/anonymous-sessions",
    "cart": "how-to/anonymous-sessions",
    "session too large": "how-to/keep-sessions-small",
    "typed sessions": "how-to/typed-sessions",
    "pydantic": "how-to/typed-sessions",
    "dataclass": "how-to/typed-sessions",
    "datetime": "how-to/dates-and-your-own-types",
    "uuid": "how-to/dates-and-your-own-types",
    "test my app": "how-to/test-your-app",
    "background jobs": "how-to/tasks-and-threads",
    "celery": "how-to/tasks-and-threads",
    "threads": "how-to/tasks-and-threads",
    "scripts": "how-to/scripts-and-jobs",
    "environment variables": "how-to/settings-from-the-environment",
    "rotate secrets": "how-to/rotate-secrets",
    "proxy": "how-to/behind-a-proxy",
    "nginx": "how-to/behind-a-proxy",
    "uwsgi": "how-to/behind-a-proxy",
    "lambda": "how-to/behind-a-proxy",
    "cdn cache": "how-to/proxies-and-caches",
    "subdomains": "how-to/subdomains",
    "single-page app": "how-to/single-page-app",
    "cors": "how-to/single-page-app",
    "websocket session": "how-to/websockets-and-event-streams",
    "event streams": "how-to/websockets-and-event-streams",
    "several apps": "how-to/several-apps-one-session",
    "tenants": "how-to/several-stores",
    "sessions on the server": "how-to/keep-sessions-on-the-server",
    "redis": "how-to/run-redis-or-postgresql",
    "postgresql": "how-to/run-redis-or-postgresql",
    "move from django": "how-to/move-from-django",
    "move from flask": "how-to/move-from-flask",
    "iron-session": "how-to/move-from-iron-session",
    "next.js": "how-to/share-with-nextjs",
    "express": "how-to/share-with-express",
    "auth.js": "how-to/read-authjs-in-fastapi",
    "write an adapter": "how-to/write-your-own-adapter",
    "write a backend": "how-to/write-your-own-backend",
    "log and monitor": "how-to/log-and-monitor",
    "safari": "explanation/browsers",
    "back after logout": "explanation/browsers",
    "channels": "how-to/django-channels",
    "fasthtml": "how-to/fasthtml",
    "pytest-django": "how-to/test-django-apps",
    "how long does a session last": "how-to/session-lifetime",
    "localhost": "explanation/browsers",
    "security": "explanation/security",
    "expiry": "explanation/expiry",
    "get_session": "reference/verbs",
    "SessionStore": "reference/store",
    "Lifetime": "reference/lifetime-and-cookies",
}

ASK = """
const fs = require("fs"), vm = require("vm"), built = process.argv[1];
const element = { dataset: {}, appendChild: (child) => child, classList: { add() {} } };
const document = {
  documentElement: element, body: element, activeElement: element, readyState: "loading",
  getElementById: () => element, createElement: () => element, addEventListener() {},
};
const context = vm.createContext({
  document, console, URLSearchParams, SPHINX_HIGHLIGHT_ENABLED: false, location: {}, addEventListener() {},
});
context.window = context;
const scripts = ["documentation_options", "doctools", "language_data", "searchtools"].map((name) => `_static/${name}.js`);
for (const file of [...scripts, "searchindex.js"])
  vm.runInContext(fs.readFileSync(`${built}/${file}`, "utf8"), context);
context.questions = JSON.parse(process.argv[2]);
console.log(vm.runInContext(`JSON.stringify(questions.map((question) => {
  location.search = "?" + new URLSearchParams({ q: question });
  return Search._performSearch(...Search._parseQuery(question)).reverse().slice(0, 5).map(([page]) => page);
}))`, context));
"""


@pytest.fixture(scope="module")
def found() -> dict[str, list[str]]:
    """Return the pages that the search finds for each question, the best first."""
    command = ["node", "-e", ASK, str(BUILT), json.dumps(list(QUESTIONS))]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    return dict(zip(QUESTIONS, json.loads(ran.stdout), strict=True))


@pytest.mark.parametrize(("question", "page"), QUESTIONS.items())
def test_a_question_finds_its_page_first(
    found: dict[str, list[str]], question: str, page: str
) -> None:
    assert found[question][0] == page, found[question]
