"""The outage watch: what works here, since when, and what is written down of it."""

from terminal.watch.orders import Answer, Asked
from terminal.watch.past import Past
from terminal.watch.watch import Look, Watch

__all__ = ["Answer", "Asked", "Look", "Past", "Watch"]
