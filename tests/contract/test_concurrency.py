"""Nobody ever reads another's session."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from contract.browser import Browser
from contract.keeping import IN_COOKIES
from contract.setting import START

USERS, WORKERS = 100, 8


def _visit(served, users: range, rounds: int) -> list[str]:
    """Rounds of a few users over their own connections, turn about; returns what was foreign."""
    foreign: list[str] = []
    browsers = {user: Browser(served.port, served.clock) for user in users}
    framework = "framework" not in served.gaps
    for user, browser in browsers.items():
        browser.do(["create", {"user": {"sub": str(user)}, "n": 0}])
    for turn in range(1, rounds):
        for user, browser in browsers.items():
            if turn % 4 == 1:
                steps: list[list[object]] = [["merge", {"n": turn}], ["get"]]
            elif turn % 4 == 2 and framework:
                steps = [["framework", "set", "n", turn], ["get"]]
            else:
                steps = [["get"]]
            path = "/thread" if turn % 16 == 3 else "/stream" if turn % 16 == 7 else "/do"
            if path == "/stream":
                found = browser.ask(path, late=steps).body.rpartition(b"\n")[2].decode()
                if f'"sub":"{user}"' not in found:
                    foreign.append(f"{user} read {found}")
                continue
            found = browser.do(*steps, path=path)
            wanted = turn if len(steps) == 2 else found and found["n"]
            if found != {"user": {"sub": str(user)}, "n": wanted}:
                foreign.append(f"{user} read {found}")
    for browser in browsers.values():
        browser.close()
    return foreign


def test_no_foreign_read_in_thousands_of_requests_of_100_users(served, pytestconfig):
    """10,000 requests; a fifth of them with sessions on the server, since the gateway and its threads are the same."""
    requests = pytestconfig.getoption("--requests")
    rounds = (requests if served.keeping is IN_COOKIES else requests // 5) // USERS
    assert rounds >= 20  # so many have every kind of turn
    served.clock.set(START)
    size = -(-USERS // WORKERS)
    groups = [range(first, min(first + size, USERS)) for first in range(0, USERS, size)]
    with ThreadPoolExecutor(WORKERS) as pool:
        found = list(pool.map(lambda users: _visit(served, users, rounds), groups))
    assert found == [[] for _ in groups]
