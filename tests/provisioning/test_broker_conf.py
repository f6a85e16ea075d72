"""Who may read and write what at the broker, shown by what arrives.

A refused publish reads as a success under MQTT 3.1.1, and a subscription to a forbidden topic is
granted and filtered: so each test sends the forbidden thing, then an allowed one that takes the
same way, and looks at what had arrived by then.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from ciao.errors import BadInput
from ciao.link import Connected, Publish
from ciao.names import gateway_online, topic
from provisioning.broker import BrokerFiles, acl, mosquitto_conf
from tests.support.broker import Broker
from tests.support.certificates import Authority
from tests.support.session import Session, session
from tests.support.waiting import wait_for

EVERYTHING = ("ciao/1/#",)
FILES = BrokerFiles("/c/ca.crt", "/c/broker.crt", "/c/broker.key", "/c/acl", "/c/crl", "/c/pid")


def gateway(broker: Broker) -> AbstractContextManager[Session]:
    return session(broker.settings(broker.authority.gateway("main")), "gateway-main", EVERYTHING)


def terminal(
    broker: Broker, name: str, claims: str | None = None
) -> AbstractContextManager[Session]:
    return session(broker.settings(broker.authority.client(name)), claims or name, EVERYTHING)


def topics(client: Session) -> set[str]:
    return {message.topic for message in client.messages}


def test_a_terminal_writes_its_journal_and_the_gateway_reads_it(shared_broker: Broker) -> None:
    with gateway(shared_broker) as reader, terminal(shared_broker, "door-1") as door:
        door.publish(topic("door-1", "journal"), b"batch")
        reader.wait_for(topic("door-1", "journal"), b"batch")


@pytest.mark.parametrize("channel", ["receipt", "hint", "outcome", "binding", "roster"])
def test_a_terminal_reads_what_the_gateway_writes_to_it(
    shared_broker: Broker, channel: str
) -> None:
    with gateway(shared_broker) as writer, terminal(shared_broker, "door-2") as door:
        writer.publish(topic("door-2", channel), channel.encode())
        door.wait_for(topic("door-2", channel), channel.encode())


@pytest.mark.parametrize("channel", ["receipt", "hint", "outcome", "binding", "roster", "other"])
def test_a_terminal_can_not_write_what_it_is_told(shared_broker: Broker, channel: str) -> None:
    with gateway(shared_broker) as reader, terminal(shared_broker, "door-3") as door:
        door.publish(topic("door-3", channel), b"forged")
        door.publish(topic("door-3", "journal"), channel.encode())
        reader.wait_for(topic("door-3", "journal"), channel.encode())
        assert b"forged" not in {message.payload for message in reader.messages + door.messages}


@pytest.mark.parametrize("channel", ["journal", "online", "receipt", "binding"])
def test_a_terminal_can_not_write_for_another(shared_broker: Broker, channel: str) -> None:
    with gateway(shared_broker) as reader, terminal(shared_broker, "door-4") as door:
        door.publish(topic("door-5", channel), b"forged")
        door.publish(topic("door-4", "journal"), channel.encode())
        reader.wait_for(topic("door-4", "journal"), channel.encode())
        assert topic("door-5", channel) not in topics(reader)


def test_a_terminal_reads_nothing_of_another(shared_broker: Broker) -> None:
    with (
        gateway(shared_broker) as writer,
        terminal(shared_broker, "door-6") as door,
        terminal(shared_broker, "door-7") as other,
    ):
        other.publish(topic("door-7", "journal"), b"not yours")
        writer.wait_for(topic("door-7", "journal"), b"not yours")
        for channel in ("receipt", "hint", "outcome", "binding", "roster"):
            writer.publish(topic("door-7", channel), b"not yours")
        writer.publish(topic("door-6", "hint"), b"yours")
        door.wait_for(topic("door-6", "hint"), b"yours")
        assert {name for name in topics(door) if name.startswith("ciao/1/door-7/")} == set()


def test_everyone_sees_whether_a_gateway_is_online_and_only_it_says_so(
    shared_broker: Broker,
) -> None:
    with gateway(shared_broker) as writer, terminal(shared_broker, "door-8") as door:
        door.publish(gateway_online("main"), b"forged")
        door.publish(topic("door-8", "journal"), b"after")
        writer.wait_for(topic("door-8", "journal"), b"after")
        writer.publish(gateway_online("other"), b"forged")
        writer.publish(gateway_online("main"), b"true")
        door.wait_for(gateway_online("main"), b"true")
        assert b"forged" not in {message.payload for message in writer.messages + door.messages}


def test_a_gateway_does_not_pass_for_a_terminal(shared_broker: Broker) -> None:
    with gateway(shared_broker) as client, terminal(shared_broker, "door-9") as door:
        client.publish(topic("gateway-main", "journal"), b"forged")
        client.publish(topic("door-9", "hint"), b"after")
        door.wait_for(topic("door-9", "hint"), b"after")
        door.publish(topic("door-9", "journal"), b"after")
        client.wait_for(topic("door-9", "journal"), b"after")
        assert b"forged" not in {message.payload for message in client.messages}


@pytest.mark.parametrize("mqtt", ["5", "3.1.1"])
def test_a_forbidden_publish_does_not_end_the_session(shared_broker: Broker, mqtt: str) -> None:
    settings = shared_broker.settings(shared_broker.authority.client("door-12"), mqtt)
    with session(settings, "door-12", EVERYTHING) as door:
        door.publish(topic("door-12", "receipt"), b"forged")
        door.publish(topic("door-12", "journal"), b"not read back")
        with gateway(shared_broker) as writer:
            writer.publish(topic("door-12", "hint"), mqtt.encode())
            door.wait_for(topic("door-12", "hint"), mqtt.encode())
        assert [event for event in door.events if event not in door.messages] == [Connected()]


def test_nobody_is_pushed_off_by_a_borrowed_client_id(broker: Broker) -> None:
    with (
        gateway(broker) as reader,
        terminal(broker, "door-1") as door,
        terminal(broker, "door-2", claims="door-1") as other,
    ):
        other.publish(topic("door-2", "journal"), b"as myself")
        reader.wait_for(topic("door-2", "journal"), b"as myself")
        door.publish(topic("door-1", "journal"), b"still here")
        reader.wait_for(topic("door-1", "journal"), b"still here")
        assert [event for event in door.events if event not in door.messages] == [Connected()]


def test_the_will_of_a_killed_terminal_is_kept_for_who_comes_later(broker: Broker) -> None:
    settings = broker.settings(broker.authority.client("door-1"))
    will = Publish(topic("door-1", "online"), b"gone", retain=True)
    with session(settings, "door-1", EVERYTHING, will) as door:
        door.cut()
        with gateway(broker) as later:
            later.wait_for(topic("door-1", "online"), b"gone")


def test_retained_receipts_reach_a_gateway_that_starts(broker: Broker) -> None:
    with gateway(broker) as first:
        first.publish(topic("door-1", "receipt"), b"cosigned", retain=True)
        first.wait_for(topic("door-1", "receipt"), b"cosigned")
    with gateway(broker) as second:
        second.wait_for(topic("door-1", "receipt"), b"cosigned")


def test_mqtt_3_1_1_is_served_alike(shared_broker: Broker) -> None:
    settings = shared_broker.settings(shared_broker.authority.client("door-10"), "3.1.1")
    with gateway(shared_broker) as reader, session(settings, "door-10", EVERYTHING) as door:
        door.publish(topic("door-10", "receipt"), b"forged")
        door.publish(topic("door-10", "journal"), b"batch")
        reader.wait_for(topic("door-10", "journal"), b"batch")
        assert topic("door-10", "receipt") not in topics(reader) | topics(door)


def connect(port: int, context: ssl.SSLContext) -> bytes:
    """Speak MQTT by hand as far as the first answer; TLS 1.3 tells of a refusal only then."""
    packet = b"\x10\x10\x00\x04MQTT\x04\x02\x00\x3c\x00\x04door"
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as wrapped,
    ):
        wrapped.sendall(packet)
        return wrapped.recv(4)


def test_without_a_certificate_nobody_connects(shared_broker: Broker) -> None:
    context = ssl.create_default_context(cafile=shared_broker.authority.certificate)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(shared_broker.port, context)


def test_a_certificate_of_another_authority_is_refused(
    shared_broker: Broker, tmp_path: Path
) -> None:
    stranger = Authority(tmp_path).client("door-1")
    context = ssl.create_default_context(cafile=shared_broker.authority.certificate)
    context.load_cert_chain(stranger.certificate, stranger.key)
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(shared_broker.port, context)


def test_a_certificate_of_ours_is_accepted_and_tls_1_2_is_not(shared_broker: Broker) -> None:
    pair = shared_broker.authority.client("door-11")
    context = ssl.create_default_context(cafile=shared_broker.authority.certificate)
    context.load_cert_chain(pair.certificate, pair.key)
    assert connect(shared_broker.port, context) == b"\x20\x02\x00\x00"
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with pytest.raises((ssl.SSLError, ConnectionError)):
        connect(shared_broker.port, context)


def test_what_was_queued_for_a_slow_gateway_is_not_dropped(broker: Broker) -> None:
    with gateway(broker) as reader, terminal(broker, "door-1") as door:
        for number in range(3000):
            door.publish(topic("door-1", "journal"), b"%d" % number)
        wait_for(lambda: len(reader.messages) >= 3000, "3000 messages")
        assert [int(message.payload) for message in reader.messages[:3000]] == list(range(3000))


@pytest.mark.parametrize("name", ["", "Main", "a b", "a\ntopic readwrite #", "x" * 33, "+"])
def test_a_gateway_that_has_no_id_gets_no_access(name: str) -> None:
    with pytest.raises(BadInput):
        acl([name])


@pytest.mark.parametrize("path", ["ca.crt", "/ca\nallow_anonymous true"])
def test_a_path_that_would_change_the_configuration_is_refused(path: str) -> None:
    with pytest.raises(BadInput):
        mosquitto_conf(
            BrokerFiles(path, "/c/broker.crt", "/c/broker.key", "/c/acl", "/c/crl", "/c/pid"),
            address="127.0.0.1",
            port=8883,
        )


def test_settings_of_the_whole_broker_stand_before_the_listener() -> None:
    conf = mosquitto_conf(FILES, address="127.0.0.1", port=8883).splitlines()
    listener = conf.index("listener 8883 127.0.0.1")
    assert {"set_tcp_nodelay true", "allow_anonymous false"} < set(conf[:listener])
    assert {"require_certificate true", "use_identity_as_username true"} < set(conf[listener:])
