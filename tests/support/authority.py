"""A time stamping authority of our own (RFC 3161): `openssl ts` behind HTTP on the loopback."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography import x509

_CONFIG = """
[req]
distinguished_name = dn
[dn]
[tsa]
default_tsa = ours
[ours]
dir = {folder}
serial = $dir/serial
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1, millisecs:500
ordering = yes
tsa_name = yes
ess_cert_id_chain = no
[tsa_ext]
basicConstraints = critical,CA:false
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[root_ext]
basicConstraints = critical,CA:true
keyUsage = critical,keyCertSign
"""


@dataclass
class Authority:
    """Its folder (`root.pem` is what a verifier trusts), and what it does next.

    `mood` is `well`, `refuses` (an RFC 3161 rejection), `html`, or an HTTP status.
    """

    folder: Path
    mood: str = "well"
    url: str = ""
    asked: list[bytes] = field(default_factory=list)

    @classmethod
    def make(cls, folder: Path) -> Authority:
        """Make its keys and certificates."""
        folder.mkdir()
        (folder / "ts.cnf").write_text(_CONFIG.format(folder=folder))
        (folder / "serial").write_text("01")
        new = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -config"
        config = str(folder / "ts.cnf")

        def openssl(words: str, *more: str) -> None:
            subprocess.run(
                ["openssl", *words.split(), *more], cwd=folder, check=True, capture_output=True
            )

        root = f"req -x509 {new} {config} -extensions root_ext -keyout root.key -out root.pem"
        openssl(root, "-subj", "/CN=Example Time Root")
        openssl(f"req {new} {config} -keyout tsa.key -out tsa.csr", "-subj", "/CN=Example Time")
        openssl(
            "x509 -req -in tsa.csr -CA root.pem -CAkey root.key -set_serial 2 -days 3650"
            f" -extfile {config} -extensions tsa_ext -out tsa.pem"
        )
        return cls(folder)

    @property
    def root(self) -> x509.Certificate:
        """What a verifier trusts."""
        return x509.load_pem_x509_certificate((self.folder / "root.pem").read_bytes())

    def reply(self, request: bytes) -> bytes:
        """Answer a request (DER) as `openssl ts -reply` does."""
        (self.folder / "request.tsq").write_bytes(request)
        line = "openssl ts -reply -config ts.cnf -queryfile request.tsq -out reply.tsr"
        subprocess.run(
            line.split(),
            cwd=self.folder,
            check=True,
            capture_output=True,
        )
        return (self.folder / "reply.tsr").read_bytes()


@contextmanager
def serving(authority: Authority) -> Iterator[Authority]:
    """Serve an authority over HTTP while inside."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            request = self.rfile.read(int(self.headers["Content-Length"]))
            authority.asked.append(request)
            status, kind, body = _answer(authority, request)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    authority.url = f"http://127.0.0.1:{server.server_port}/tsa"
    try:
        yield authority
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _answer(authority: Authority, request: bytes) -> tuple[int, str, bytes]:
    kind = "application/timestamp-reply"
    match authority.mood:
        case "well":
            return 200, kind, authority.reply(request)
        case "refuses":
            # TimeStampResp { status { status rejection(2) } } and no token
            return 200, kind, bytes.fromhex("30053003020102")
        case "html":
            return 200, "text/html", b"<html>please log in</html>"
        case status:
            return int(status), "text/plain", b"no"
