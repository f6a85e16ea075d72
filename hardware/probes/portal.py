"""Edge: does a page that answers 204 answer something else? Then somebody stands in between.

RFC 8910 calls it a captive portal. One request, no redirect is followed, a little is read.
"""

from __future__ import annotations

import http.client
import socket

from hardware.probes.settings import Portal

_NO_CONTENT = 204


def look(portal: Portal, address: str, limit_s: float) -> str:
    """Say `ok`, `shown` or `timeout`; `address` is where the portal's host is said to be."""
    try:
        with socket.create_connection((address, portal.port), limit_s) as asking:
            name = (
                portal.host
                if portal.port == http.client.HTTP_PORT
                else f"{portal.host}:{portal.port}"
            )
            asking.sendall(
                f"GET {portal.path} HTTP/1.1\r\nHost: {name}\r\nConnection: close\r\n\r\n".encode()
            )
            answer = http.client.HTTPResponse(asking)
            try:
                answer.begin()
                return "ok" if answer.status == _NO_CONTENT else "shown"
            finally:
                answer.close()
    except http.client.HTTPException:
        # Whatever answers here, it is not the page that was asked for.
        return "shown"
    except OSError:
        return "timeout"
