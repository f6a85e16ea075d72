"""The badge reader: nfcpy's driver, unmodified, in a loop of our own; `open_reader` makes one."""

from hardware.reader.thread import Reader as Reader
from hardware.reader.thread import open_reader as open_reader
