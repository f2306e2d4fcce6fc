# SPDX-License-Identifier: GPL-2.0
"""stats.py FILE: `name value` lines of the counters in CRIU's stats-dump (criu/images/stats.proto)."""

import sys

FIELDS = {5: "scanned", 7: "written", 12: "shared-scanned", 14: "shared-written"}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, at


def fields(data):
    """Numbers and values: an integer, or the bytes of a message."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value, at = varint(data, at)
        if key & 7 == 2:
            value, at = data[at : at + value], at + value
        elif key & 7 != 0:
            sys.exit(f"a field of type {key & 7}")
        yield key >> 3, value


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    # Two magic numbers and the message's size before it.
    size = int.from_bytes(data[8:12], "little")
    (dump,) = (value for number, value in fields(data[12 : 12 + size]) if number == 1)
    for number, value in fields(dump):
        if number in FIELDS:
            print(FIELDS[number], value)


main()
