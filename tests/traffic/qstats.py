# SPDX-License-Identifier: GPL-2.0
"""Reads the queue statistics of a network interface, as the kernel's tool ynl does, which Debian
has not packaged. Documentation/netlink/specs/netdev.yaml in the kernel describes the messages."""

import socket
import struct

# From include/uapi/linux/netlink.h, genetlink.h and netdev.h.
_NETLINK_GENERIC = 16
_REQUEST, _DUMP, _ERROR, _DONE = 0x1, 0x300, 2, 3
_CTRL, _GET_FAMILY, _FAMILY_ID, _FAMILY_NAME = 16, 3, 1, 2
_QSTATS_GET, _IFINDEX = 12, 1
NAMES = {8: "rx-packets", 9: "rx-bytes", 10: "tx-packets", 11: "tx-bytes", 12: "rx-alloc-fail",
         13: "rx-hw-drops", 14: "rx-hw-drop-overruns"}
_KIND = 0x3fff


def _attribute(kind, data):
    """An attribute, padded to four bytes."""
    return struct.pack("=HH", 4 + len(data), kind) + data + bytes(-len(data) % 4)


def _attributes(data):
    """The attributes in a message, by their kind."""
    found = {}
    while len(data) >= 4:
        length, kind = struct.unpack_from("=HH", data)
        found[kind & _KIND] = data[4:length]
        data = data[length + -length % 4:]
    return found


def _number(data):
    """An unsigned number, which netlink sends with 4 or 8 bytes."""
    return int.from_bytes(data, "little")


def _ask(netlink, family, command, flags, attribute):
    """Sends a request. Returns the attributes of each message of the answer."""
    body = struct.pack("=BBH", command, 1, 0) + attribute
    netlink.send(struct.pack("=IHHII", 16 + len(body), family, _REQUEST | flags, 1, 0) + body)
    answers = []
    while True:
        data = netlink.recv(1 << 16)
        while data:
            length, kind = struct.unpack_from("=IH", data)
            message, data = data[16:length], data[length + -length % 4:]
            if kind == _ERROR and (error := struct.unpack_from("=i", message)[0]):
                raise OSError(-error, "netlink refused a request")
            if kind in (_ERROR, _DONE):
                return answers
            answers.append(_attributes(message[4:]))
        if flags != _DUMP:
            return answers


def read(interface):
    """The statistics of an interface in the network namespace of this thread."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_GENERIC) as netlink:
        netlink.bind((0, 0))
        family, = _ask(netlink, _CTRL, _GET_FAMILY, 0, _attribute(_FAMILY_NAME, b"netdev\0"))
        index = struct.pack("=I", socket.if_nametoindex(interface))
        answer, = _ask(netlink, _number(family[_FAMILY_ID]), _QSTATS_GET, _DUMP,
                       _attribute(_IFINDEX, index))
    return {name: _number(answer[kind]) for kind, name in NAMES.items() if kind in answer}
