#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the seeds of corpus/packet, frame_quic and params, one small file per form on the wire, and of corpus/endpoint.

What a fuzzer finds on top is committed beside them under the hash that libFuzzer gives it.
"""
import os


def varint(value):
    for length, prefix in ((1, 0x00), (2, 0x40), (4, 0x80), (8, 0xC0)):
        if value < 1 << (8 * length - 2):
            octets = bytearray(value.to_bytes(length, "big"))
            octets[0] |= prefix
            return bytes(octets)
    raise ValueError(value)


def cid(octets):
    return bytes([len(octets)]) + octets


def long_packet(kind, payload, token=None, version=1):
    start = bytes([0xC0 | kind << 4 | 1]) + version.to_bytes(4, "big") + cid(b"destinat") + cid(b"source")
    if token is not None:
        start += varint(len(token)) + token
    return start + (0x4000 | len(payload)).to_bytes(2, "big") + payload


def packets():
    body = bytes(range(40))
    initial = long_packet(0, body, b"")
    handshake = long_packet(2, body)
    short = b"\x41" + b"destinat" + body
    yield "initial", initial
    yield "initial_token", long_packet(0, body, b"a token")
    yield "zero_rtt", long_packet(1, body)
    yield "handshake", handshake
    yield "short", short
    yield "short_tiny", short[:20]
    yield "coalesced", initial + handshake + short
    yield "no_sample_then_good", long_packet(2, b"12345") + handshake
    yield "length_beyond", handshake[:-3]
    yield "token_beyond", b"\xc0\0\0\0\1\0\0\x7f\xff" + body
    yield "retry", b"\xf0\0\0\0\1" + cid(b"") + cid(b"source") + b"token" + bytes(16)
    yield "retry_no_token", b"\xf0\0\0\0\1" + cid(b"") + cid(b"source") + bytes(16)
    yield "version_negotiation", b"\x80\0\0\0\0" + cid(b"a") + cid(b"b") + b"\0\0\0\1\x0a\x1a\x2a\x3a"
    yield "version_negotiation_torn", b"\x80\0\0\0\0" + cid(b"a") + cid(b"b") + b"\0\0\0\1\x0a"
    yield "unknown_version", b"\xc0\xfa\xce\xb0\x0c" + cid(bytes(255)) + cid(bytes(21)) + body
    yield "cid_too_long", b"\xc0\0\0\0\1" + cid(bytes(21)) + cid(b"") + body
    yield "reset", b"\x5a" + bytes(range(42))


def frames():
    yield "padding_ping", bytes(5) + b"\x01"
    yield "ack", b"\x02\x40\x64\x05\x02\x0a\x03\x05\x00\x40\x4e"
    yield "ack_ecn", b"\x03\x10\x00\x00\x10\x01\x02\x03"
    yield "ack_negative", b"\x02\x04\x00\x00\x05"
    yield "ack_gap_negative", b"\x02\x04\x00\x01\x02\x01\x00"
    yield "ack_many", b"\x02" + varint(1000) + b"\0" + varint(60) + b"\0" + b"\x01\x01" * 60
    yield "reset_stop", b"\x04\x04\x07\x40\x80" + b"\x05\x04\x07"
    yield "crypto", b"\x06\x00\x05hello"
    yield "crypto_above_limit", b"\x06" + varint((1 << 62) - 1) + b"\x01x"
    yield "new_token", b"\x07\x03abc"
    yield "new_token_empty", b"\x07\x00"
    for flags in range(8):
        fields = b"\x04" + (b"\x41\x00" if flags & 4 else b"") + (b"\x02" if flags & 2 else b"")
        yield f"stream_{flags}", bytes([8 | flags]) + fields + b"ab"
    yield "limits", b"\x10\x40\x40\x11\x04\x40\x40\x12\x05\x13\x05\x14\x01\x15\x04\x01\x16\x02\x17\x02"
    yield "max_streams_too_many", b"\x12" + varint((1 << 60) + 1)
    yield "new_connection_id", b"\x18\x03\x01\x08destinat" + bytes(16) + b"\x19\x00"
    yield "new_connection_id_bad", b"\x18\x01\x02\x08destinat" + bytes(16)
    yield "path", b"\x1a12345678\x1b87654321"
    yield "close", b"\x1c\x0a\x1e\x06reason"
    yield "close_application", b"\x1d\x41\x00\x00"
    yield "handshake_done", b"\x1e"
    yield "datagram", b"\x31\x03abc\x30rest"
    yield "unknown", b"\x21"
    yield "type_too_long", b"\x40\x01"


def params():
    def one(identity, value):
        return varint(identity) + varint(len(value)) + value

    both = (one(1, varint(30000)) + one(3, varint(1472)) + one(4, varint(1 << 20)) + one(5, varint(1)) +
        one(8, varint(100)) + one(0x0A, varint(3)) + one(0x0B, varint(25)) + one(0x0E, varint(8)) +
        one(0x0F, b"source") + one(0x20, varint(65535)) + one(0x0C, b"") + one(0x2AB2, b""))
    address = bytes(4) + b"\1\xbb" + bytes(16) + b"\1\xbb"
    yield "client", b"\0" + both
    yield "server", b"\1" + both + one(0, b"original") + one(2, bytes(16)) + one(0x10, b"retry")
    yield "preferred_address", b"\1" + one(0x0D, address + cid(b"preferred") + bytes(16))
    yield "preferred_address_no_id", b"\1" + one(0x0D, address + cid(b"") + bytes(16))
    yield "server_only", b"\0" + one(2, bytes(16))
    yield "duplicate", b"\0" + both + one(4, varint(1))
    yield "duplicate_unknown", b"\0" + one(27, b"a") + one(58, b"") + one(27, b"b")
    yield "limits", b"\0" + one(0x0A, varint(20)) + one(0x0B, varint(16383)) + one(8, varint(1 << 60))
    for name, identity, value in (("exponent", 0x0A, 21), ("delay", 0x0B, 16384), ("payload", 3, 1199),
            ("ids", 0x0E, 1), ("streams", 9, (1 << 60) + 1)):
        yield "beyond_" + name, b"\0" + one(identity, varint(value))
    yield "value_too_long", b"\0" + one(4, varint(1) + b"x")
    yield "torn", b"\0" + both[:-5]


def endpoints():
    """Pieces as fuzz_endpoint.c has them: bits 0 and 1 of the kind say what, bit 2 from where, bits 3 to 7 the time."""
    def piece(kind, payload, time=8):
        return bytes([kind | time << 3]) + len(payload).to_bytes(2, "big") + payload

    def stream(identity, offset, octets, fin=False):
        return bytes([0x0E | fin]) + varint(identity) + varint(offset) + varint(len(octets)) + octets

    every_second = b"".join(stream(0, 1 + 2 * i, b"x") for i in range(40))
    spread = b"".join(stream(4 * (i % 8), 5000 * i + 3, b"x") for i in range(30))
    ids = b"".join(b"\x18" + varint(n) + b"\0\x08destina" + bytes([n]) + bytes(15) + bytes([n]) for n in range(1, 4))
    form = dict(packets())
    yield "noise", b"\0" + b"".join(piece(0, octets) for octets in form.values())
    yield "initials", b"\0" + b"".join(piece(2 | from_elsewhere, b"", 1) for from_elsewhere in (0, 4) * 6) + piece(3, b"", 25)
    yield "initials_changed", b"\0" + piece(2, b"\0\x40\1\0\x01\1") + piece(2, b"\0\5\xff") + piece(6, b"\4\x80\1")
    yield "frames", b"\1" + b"".join(piece(1, octets, 10) for name, octets in frames() if name in ("padding_ping", "path",
        "datagram", "stream_6", "stream_7", "reset_stop", "limits"))
    yield "acks", b"\1" + piece(1, b"\x02\x02\x00\x00\x02", 10) + piece(1, b"\x02\x05\x00\x01\x00\x01\x01", 10) + piece(3, b"", 22)
    yield "every_second", b"\1" + piece(1, every_second, 1) + piece(1, stream(0, 0, b"y" * 80, True), 1) + piece(3, b"", 20)
    yield "spread", b"\1" + piece(1, spread, 1) * 2 + piece(1, stream(0, 0, bytes(1200)), 1) + piece(3, b"", 22)
    yield "ids", b"\1" + piece(1, ids, 10) + piece(1, b"\x19\x01\x19\x02", 10) + piece(1, b"\x19\x00", 14) + piece(1, b"\x01", 10)
    yield "paths", b"\1" + piece(5, b"\x01", 10) + piece(1, b"\x01", 10) + piece(5, b"\x1a12345678\x01", 12) + piece(3, b"", 24)
    yield "replayed", b"\1" + b"".join(piece(2 | n << 4, b"", 0) for n in range(6)) + piece(6, b"", 10)
    yield "close", b"\1" + piece(1, stream(0, 0, b"abc") + b"\x1c\x0a\x1e\x06reason", 10) + piece(1, b"\x01", 22)


def write(folder, seeds):
    os.makedirs(folder, exist_ok=True)
    for name, octets in seeds:
        with open(os.path.join(folder, name), "wb") as file:
            file.write(octets)


if __name__ == "__main__":
    corpus = os.path.join(os.path.dirname(os.path.abspath(__file__)), "corpus")
    write(os.path.join(corpus, "packet"), ((name, b"\x08" + octets) for name, octets in packets()))
    write(os.path.join(corpus, "frame_quic"), ((name, b"\x04" + octets) for name, octets in frames()))
    write(os.path.join(corpus, "params"), params())
    write(os.path.join(corpus, "endpoint"), endpoints())
