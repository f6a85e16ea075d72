"""Edge: a program's session with the MQTT broker, by paho, in paho's own thread.

Clean sessions, QoS 1, TCP_NODELAY (without it a receipt takes 40 ms instead of one). MQTT 5
where the broker has it; nothing here needs more than 3.1.1.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal

import msgspec
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ciao.errors import BadInput
from ciao.keys import no_password
from ciao.link import Connected, Disconnected, LinkEvent, Message, Publish

# A line that is cut in silence is noticed after two of these: within 20 s.
KEEPALIVE_S = 10
RECONNECT_MIN_S = 1
# With paho's own 5 s to connect, a session is back 10 s after its line is (ciao.outages).
RECONNECT_MAX_S = 5
IN_FLIGHT_MAX = 200
# X509_V_FLAG_NO_CHECK_TIME (openssl/x509_vfy.h): all of a chain is verified but its dates.
NO_CHECK_TIME = ssl.VerifyFlags(0x200000)
# Beside the root: its list of revoked certificates, where it has revoked any (decision 26).
REVOKED_NAME = "revoked.pem"
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class BrokerSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the broker is. Certificates may be left out on the loopback only (the demo)."""

    host: str
    port: int = 8883
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None
    mqtt: Literal["5", "3.1.1"] = "5"


def tls_context(settings: BrokerSettings, base: Path) -> ssl.SSLContext | None:
    """Build mutual TLS 1.3 from settings whose paths are relative to `base`; raise BadInput."""
    files = (settings.ca, settings.certificate, settings.key)
    if not any(files):
        if settings.host not in LOOPBACK:
            raise BadInput(
                f"the broker {settings.host} has no ca, certificate and key",
                "only a broker on the loopback may go without",
            )
        return None
    if settings.ca is None or settings.certificate is None or settings.key is None:
        raise BadInput("the broker needs ca, certificate and key together", "add the missing ones")
    try:
        context = ssl.create_default_context(cafile=base / settings.ca)
        load_own(context, settings, base)
    except OSError as error:
        raise BadInput(
            f"can't load the broker's certificates: {error}",
            "check ca, certificate and key, which has no password",
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def load_own(context: ssl.SSLContext, settings: BrokerSettings, base: Path) -> None:
    """Take what lies in the files now, for the sessions to come; raise OSError.

    Our own certificate, and which of the servers' are revoked.
    """
    if settings.certificate is not None and settings.key is not None:
        context.load_cert_chain(base / settings.certificate, base / settings.key, no_password)
    if settings.ca is not None:
        refuse_revoked(context, base / settings.ca)


def refuse_revoked(context: ssl.SSLContext, authority: Path) -> None:
    """Refuse the servers that the root's list beside it names; without one, none; raise OSError."""
    revoked = authority.with_name(REVOKED_NAME)
    if revoked.exists():
        context.load_verify_locations(cafile=revoked)
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF


def hold_to_dates(context: ssl.SSLContext, by_our_clock: bool) -> None:
    """Hold the broker's certificate to its dates, or to all but these (decision 19).

    A terminal whose clock is wrong would else stand alone until somebody sets it.
    """
    if by_our_clock:
        context.verify_flags &= ~NO_CHECK_TIME
    else:
        context.verify_flags |= NO_CHECK_TIME


class Link:
    """One session, kept up until `stop`; events go to `emit`, from paho's thread.

    `emit` must not raise (an exception would end paho's thread); a queue's `put` is meant.
    """

    def __init__(
        self,
        settings: BrokerSettings,
        tls: ssl.SSLContext | None,
        client_id: str,
        will: Publish,
        subscriptions: Sequence[str],
        emit: Callable[[LinkEvent], None],
    ) -> None:
        self._emit = emit
        self._subscriptions = [(topic, 1) for topic in subscriptions]
        self._settings = settings
        self._v5 = settings.mqtt == "5"
        self._client_id = client_id
        self._will = will
        self._tls = tls
        self._client = self._fresh()

    def _fresh(self) -> paho.Client:
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            clean_session=None if self._v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311,
        )
        will = self._will
        client.will_set(will.topic, will.payload, qos=1, retain=will.retain)
        client.max_inflight_messages_set(IN_FLIGHT_MAX)
        client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
        if self._tls is not None:
            client.tls_set_context(self._tls)
        client.on_socket_open = _no_delay
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_message = self._arrived
        return client

    def start(self) -> None:
        """Begin connecting, and keep at it; also again, after `stop`."""
        extra: dict[str, Any] = {"clean_start": True} if self._v5 else {}
        self._client.connect_async(self._settings.host, self._settings.port, KEEPALIVE_S, **extra)
        self._client.loop_start()

    def publish(self, message: Publish) -> None:
        """Send, or drop while there is no session: whatever matters is sent again."""
        if self._client.is_connected():
            self._client.publish(message.topic, message.payload, qos=1, retain=message.retain)

    def begin_anew(self) -> None:
        """Break the session; the one that follows takes what its TLS context holds by then."""
        broken: Any = self._client.socket()
        if broken is not None:
            with contextlib.suppress(OSError):
                broken.shutdown(socket.SHUT_RDWR)

    def stop(self, farewell: Publish | None = None) -> None:
        """Say goodbye (the will is for those who can't) and end the session."""
        if farewell is not None and self._client.is_connected():
            sent = self._client.publish(farewell.topic, farewell.payload, 1, farewell.retain)
            sent.wait_for_publish(timeout=2)
        self._client.disconnect()
        self._client.loop_stop()
        # We let it go, and its sockets go with it: paho would open others if it were started again.
        self._client = self._fresh()

    def _connected(
        self,
        client: paho.Client,
        _userdata: object,
        _flags: object,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        if reason.is_failure:
            self._emit(Disconnected(str(reason), refused=True))
            return
        if self._subscriptions:
            client.subscribe(self._subscriptions)
        self._emit(Connected())

    def _disconnected(
        self,
        _client: paho.Client,
        _userdata: object,
        _flags: object,
        reason: ReasonCode,
        _properties: Properties | None,
    ) -> None:
        self._emit(Disconnected(str(reason)))

    def _arrived(self, _client: paho.Client, _userdata: object, message: paho.MQTTMessage) -> None:
        self._emit(Message(message.topic, bytes(message.payload)))


def _no_delay(_client: paho.Client, _userdata: object, sock: Any) -> None:
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
