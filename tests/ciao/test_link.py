"""The session with the broker, on a real one."""

from __future__ import annotations

from ciao.link import Connected
from tests.support.broker import Broker
from tests.support.session import session
from tests.support.waiting import wait_for


def test_a_session_that_was_ended_begins_again_and_hears_what_is_sent(
    shared_broker: Broker,
) -> None:
    name = "link-again"
    settings = shared_broker.settings(shared_broker.authority.client(name))
    with session(settings, name, (f"ciao/1/{name}/hint",)) as mine:
        mine.link.stop()
        mine.events.clear()
        mine.link.start()
        wait_for(lambda: Connected() in mine.events, "it to connect again")
