"""Terminals follow what they were told of: a declaration's days, a site's name, gateways' keys.

A bundle is signed with the texts of its day. Where one of these is changed in the registry, each
terminal that holds it gets a fresh bundle: what is in force from now, what is to come from its own
moment. Which works declaration and which site stay as they were.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from provisioning.registry.issuing import SignerFor, named, reissue
from provisioning.registry.published import published
from provisioning.registry.registry import Registry
from provisioning.registry.store import Change


def follow(registry: Registry, change: Change, signer_for: SignerFor, now: datetime) -> list[str]:
    """Issue anew whatever bundle tells something that has changed; return its terminals' ids."""
    sites = {one.id: one.site for one in registry.sites()}
    declarations = {one.number: one.for_binding() for one in registry.declarations()}
    gateways = named(registry.gateways())
    followed = []
    for terminal in registry.terminals():
        replaced = False
        for issued in published(registry.bindings(terminal.id), now):
            held = registry.opened(issued).binding
            declaration = declarations.get(held.declaration.number, held.declaration)
            fresh = msgspec.structs.replace(
                held, site=sites[issued.site], declaration=declaration, gateways=gateways
            )
            # The fresh one takes the place of what was to come, so that is said again too.
            if replaced or fresh != held:
                reissue(registry, change, issued, fresh, signer_for, now)
                replaced = True
        if replaced:
            followed.append(terminal.id)
    return followed
