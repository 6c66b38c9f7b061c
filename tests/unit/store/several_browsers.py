"""A user who has signed in with several browsers."""

from ..scene import ALICE


def open_exchange(scene, browser=None):
    return scene.store.exchange((browser or scene.browser).jar.header())


def sign_in(scene, number, user=ALICE):
    browser = scene.another_browser()
    browser.login({**user, "n": number})
    scene.clock.wait(1)
    return browser
