"""The registry: who employs whom, which badge is whose, which terminal stands where.

The gateway uses `Registry` and the values it returns; `ciao-provision` also the modules that write.
"""

from provisioning.registry.expiry import Expiring
from provisioning.registry.records import (
    Badge,
    Declaration,
    Employer,
    Employment,
    Gateway,
    IssuedBinding,
    Kind,
    Period,
    Resolution,
    Site,
    Terminal,
    place,
)
from provisioning.registry.registry import Registry

__all__ = [
    "Badge",
    "Declaration",
    "Employer",
    "Employment",
    "Expiring",
    "Gateway",
    "IssuedBinding",
    "Kind",
    "Period",
    "Registry",
    "Resolution",
    "Site",
    "Terminal",
    "place",
]
