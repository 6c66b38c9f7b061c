"""What several tests of the exchange ask."""

NAME, SEEN, FENCE = "__Host-session", "__Host-seen.session", "__Host-out.session"


DAY = 86_400


def kinds(scene):
    return [event.kind for event in scene.events]
