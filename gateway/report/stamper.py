"""A time stamping authority as pyHanko asks one, for the signature of a PDF."""

from __future__ import annotations

from asn1crypto import tsp
from pyhanko.sign.timestamps import TimeStamper, TimestampRequestError

from ciao.timestamps import NotStamped
from gateway.timestamping.authority import Authority


class Stamper(TimeStamper):
    """The same authority as the watch's; pyHanko checks the nonce and the status itself."""

    def __init__(self, authority: Authority) -> None:
        super().__init__(include_nonce=True)  # type: ignore[no-untyped-call]
        self._authority = authority

    async def async_request_tsa_response(self, req: tsp.TimeStampReq) -> tsp.TimeStampResp:
        """Ask; raise TimestampRequestError for whatever is no reply."""
        try:
            reply = tsp.TimeStampResp.load(self._authority.ask(req.dump()))
            # asn1crypto reads as late as it can: now, so that what is wrong comes out here
            _ = reply["status"]["status"].native
        except (NotStamped, ValueError) as error:
            raise TimestampRequestError(str(error)) from error
        return reply
