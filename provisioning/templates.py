"""The settings files that provisioning writes: text from values. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from ciao.terminal_toml import Broker, broker_table, quoted

SIMULATION_BASE_URL = "https://services-sim.socialsecurity.be/REST/presenceRegistration/v1"
SIMULATION_TOKEN_URL = "https://services-sim.socialsecurity.be/REST/oauth/v5/token"


@dataclass(frozen=True, slots=True)
class EnrolmentServer:
    """Where enrolment is served: the host terminals reach it by, the port, the address."""

    host: str
    port: int
    listen: str

    @property
    def url(self) -> str:
        """What `ciao-terminal enrol --server` is given."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"https://{host}:{self.port}"


def provision_toml(
    *, domain: str, time_zone: str, broker: Broker, server: EnrolmentServer | None
) -> str:
    """What `ciao-provision` works on."""
    enrolment = f"# Where terminals enrol.\nenrolment = {quoted(server.url)}\n" if server else ""
    return f"""\
# What ciao-provision works on. Paths are relative to this file.
domain = {quoted(domain)}
time_zone = {quoted(time_zone)}
registry = "registry.db"
registry_key = "registry.key"
# The employers' provisioning keys: nothing but ciao-provision needs them.
keys = "keys"
ca = "ca"
gateway = "gateway.toml"
# The authority that signs terminals; the gateway needs it too.
issuer = "gateway"
{enrolment}
[broker]
host = {quoted(broker.host)}
port = {broker.port}
tls = {str(broker.tls).lower()}

[retention]
# How long after their last employment people are kept; `ciao-provision forget` goes by it.
people_years = 5
"""


def gateway_toml(
    *,
    gateway: str,
    domain: str,
    broker: Broker,
    server: EnrolmentServer | None,
    base_url: str,
    token_url: str,
) -> str:
    """What `ciao-gateway` reads; each employer's credentials are appended to it."""
    enrolment = _enrolment(server) if server else ""
    return f"""\
# The gateway's settings. Paths are relative to this file.
gateway = {quoted(gateway)}
domain = {quoted(domain)}
ledger = "ledger.db"
registry = "registry.db"
registry_key = "registry.key"

[keys]
hpke = "gateway/hpke.pem"
cosigner = "gateway/cosigner.pem"
answers = "gateway/answers.key"
# Before them, since `ciao-provision gateway roll`: what was sealed to these is still opened.
retired_hpke = []
retired_cosigners = []

# After how many days in its ledger the gateway deletes what identifies people (five years, as
# people_years in provision.toml), and whole logs (ten): `ciao-gateway retention` shows what is due.
[retention]
payload_days = 1826
segment_days = 3653

# Signs the reports in evidence bundles; put your own (qualified) certificate here if you have one.
[report]
certificate = "gateway/report.pem"
key = "gateway/report.key"

{broker_table(broker, "gateway/")}{enrolment}
# The simulation environment, until you are told that you may use the other.
[onss]
base_url = {quoted(base_url)}
token_url = {quoted(token_url)}

# Hosts outside, in different networks, by literal address: while two of them answer and the ONSS
# does not, the gateway's journal says that it is the ONSS.
[watch]
anchors = []
"""


def _enrolment(server: EnrolmentServer) -> str:
    return f"""
# Terminals enrol and renew their certificates here, over HTTPS.
[enrolment]
listen = {quoted(server.listen)}
port = {server.port}
certificate = "gateway/enrolment.pem"
key = "gateway/enrolment.key"
ca = "gateway/ca.pem"
issuer = "gateway/issuer.pem"
issuer_key = "gateway/issuer.key"
"""


def onss_credentials(*, employer: str, client_id: str, key: str, kid: str) -> str:
    """An employer's table in the gateway's settings."""
    return f"""
[onss.credentials.{employer}]
client_id = {quoted(client_id)}
key = {quoted(key)}
kid = {quoted(kid)}
"""
