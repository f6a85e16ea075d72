"""Edge: what the gateway counts, for Prometheus; a port on loopback serves it.

No label names a person, a badge or a tap: states, employers, closed reasons. Counters are of this
process; what waits is read from the ledger at each scrape, by indexes over what is open.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ciao.errors import BadInput
from ciao.registration import State
from gateway.forwarding.breaker import Breaker, Trouble
from gateway.ledger import report
from gateway.ledger.rows import Tap

LOOPBACK = "127.0.0.1"
# From a live stamp to one that came two days late.
ACCEPTED_S = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 172_800)
CALL_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """Counts; each method may be called from any thread."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._moves = Counter(
            "ciao_gateway_taps_moved",
            "Taps that came into a state",
            ["state"],
            registry=self.registry,
        )
        self._moved = {state: self._moves.labels(state) for state in State}
        self._accepted = Histogram(
            "ciao_gateway_tap_to_accepted_seconds",
            "From a tap to its acceptance by the ONSS",
            buckets=ACCEPTED_S,
            registry=self.registry,
        )
        self._calls = Histogram(
            "ciao_gateway_call_seconds",
            "Calls to the ONSS: whose credential, and how they ended (a status, or why none came)",
            ["employer", "ended"],
            buckets=CALL_S,
            registry=self.registry,
        )
        self._trouble = Gauge(
            "ciao_gateway_service_trouble",
            "1 while an employer's service is in this trouble and only probes go to it",
            ["employer", "kind"],
            registry=self.registry,
        )
        self._receipts = Counter(
            "ciao_gateway_receipts", "Receipts published", registry=self.registry
        )
        self._refused = Counter(
            "ciao_gateway_batches_refused",
            "Batches refused, by the wire's closed reasons",
            ["reason"],
            registry=self.registry,
        )
        self._online = Gauge(
            "ciao_gateway_online", "1 while connected to the broker", registry=self.registry
        )

    def moved(self, taps: Iterable[Tap], at_ms: int) -> None:
        """Count changes of taps that were committed at a moment."""
        for tap in taps:
            self._moved[tap.state].inc()
            if tap.state is State.ACCEPTED:
                self._accepted.observe(max(0, at_ms - tap.stamped_ms) / 1000)

    def called(self, employer: str, ended: str, seconds: float) -> None:
        """Count a call to register."""
        self._calls.labels(employer, ended).observe(seconds)

    def services(self, breakers: Mapping[str, Breaker]) -> None:
        """Show how each employer's service stands."""
        for employer, breaker in breakers.items():
            for kind in Trouble:
                self._trouble.labels(employer, kind).set(breaker.trouble is kind)

    def receipted(self) -> None:
        """Count a receipt."""
        self._receipts.inc()

    def refused(self, reason: str) -> None:
        """Count a refused batch."""
        self._refused.labels(reason).inc()

    def connected(self, online: bool) -> None:
        """Show whether there is a session with the broker."""
        self._online.set(online)

    def watch(self, ledger: Path, now: Callable[[], float]) -> None:
        """Read what waits from a ledger at each scrape; `now` in seconds since 1970."""
        self.registry.register(_Backlog(ledger, now))

    def serve(self, port: int) -> Callable[[], None]:
        """Serve on loopback; return what ends it; raise BadInput where the port is taken."""
        try:
            server, thread = start_http_server(port, LOOPBACK, self.registry)
        except OSError as error:
            what = f"can't serve metrics on {LOOPBACK}:{port}: {error.strerror}"
            raise BadInput(what, "choose another port in [metrics]") from error

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return end


class _Backlog(Collector):
    """What the ledger has open."""

    def __init__(self, ledger: Path, now: Callable[[], float]) -> None:
        self._ledger = ledger
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = report.backlog(self._ledger)
        parts = (
            ("ciao_gateway_backlog", "Taps on their way to the ONSS", found.on_the_way),
            ("ciao_gateway_waiting", "Taps that wait for a person or a badge", found.waiting),
        )
        for name, words, counts in parts:
            family = GaugeMetricFamily(name, words, labels=["state"])
            for state, count in counts.items():
                family.add_metric([state], count)
            yield family
        oldest_s = 0.0 if found.oldest_ms is None else self._now() - found.oldest_ms / 1000
        name, words = "ciao_gateway_backlog_oldest_seconds", "Age of the oldest tap on its way"
        yield GaugeMetricFamily(name, words, value=max(0.0, oldest_s))
