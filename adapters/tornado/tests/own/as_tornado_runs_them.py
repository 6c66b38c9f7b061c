"""A pytest plugin: what Tornado's own runner sets up before it runs these tests, which expect that nothing is logged."""

import logging

logging.getLogger("tornado.access").setLevel(logging.CRITICAL)
