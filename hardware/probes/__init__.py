"""What a terminal asks of its surroundings: network, broker, power; each with a time limit."""

from hardware.probes.settings import ProbeSettings, Targets, targets

__all__ = ["ProbeSettings", "Targets", "targets"]
