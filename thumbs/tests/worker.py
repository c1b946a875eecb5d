#!/usr/bin/env python3
"""A worker that does what the width of the image says, well or badly. Images tell which process made them and how many
it made before."""
import json
import os
import struct
import sys
import time

source, target = sys.stdin.buffer, sys.stdout.buffer


def send(head, payload=b"", claim=None):
    head = head if isinstance(head, bytes) else json.dumps(head).encode()
    target.write(struct.pack(">II", len(head), len(payload) if claim is None else claim) + head + payload)
    target.flush()


def image(made, payload=b"\xff\xd8 a picture"):
    send({"image": {"width": made, "height": os.getpid(), "missing": 0}}, payload)


send({"protocol": 2, "libraries": "none"})
made = 0
while len(prefix := source.read(8)) == 8:
    head, payload = struct.unpack(">II", prefix)
    request = json.loads(source.read(head))
    payload = source.read(payload)
    assert len(payload) == sum(it["configuration"] + it["sample"] for it in request["pictures"])
    made += 1
    match request["form"]["single"]["width"]:
        case 16:
            image(made)
        case 18:
            sys.exit(1)
        case 20:
            time.sleep(1000)
        case 22:
            send(b"{}")
        case 24:
            send({"image": {"width": 1, "height": 1, "missing": 0}}, claim=64 << 20)
        case 26:
            image(made, b"<html>")
        case 28:
            send({"refused": "damaged"})
        case 30:
            target.write(b"\xff" * 8)
            target.flush()
        case 32:
            time.sleep(0.3)
            image(made)
