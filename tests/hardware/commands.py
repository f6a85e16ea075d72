"""What a host can ask of the chip, sense or nonsense, for tests with many inputs."""

from __future__ import annotations

from hypothesis import strategies as st

# Each command of the PN532 that the emulator knows, as drivers send it, and one it doesn't.
COMMANDS = [
    *("02", "00", "0001", "04", "066339", "08633d07", "0c", "0e8000", "1007", "1004", "1000"),
    *("1200", "1214", "140100", "16b0", "1601", "3201", "320101", "32020b0a0a", "3205ffffff"),
    *("3205010001", "4a0100", "4a0200", "4a0104", "40013030", "4001a404", "4230", "4201"),
    *("4400", "460000", "4e0100", "5000", "5200", "5401", "560000", "60ff0100", "60020120", "8c"),
]


def _anything_after(command: str, more: bytes) -> bytes:
    return bytes.fromhex(command)[:1] + more


# Right commands, right ones with wrong values, and rubbish; without TFI.
PAYLOADS = st.one_of(
    st.sampled_from(COMMANDS).map(bytes.fromhex),
    st.builds(_anything_after, st.sampled_from(COMMANDS), st.binary(max_size=20)),
    st.binary(min_size=1, max_size=40),
)
