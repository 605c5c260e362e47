#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A listener outside of the lab, whose word counts in its network tests.  Usage: listener.py FOLDER

Listens for TCP and UDP on one port of both loopback addresses, which it writes to FOLDER/port.  FOLDER/log gets
a line for each word that arrives: "tcp4 WORD", "udp6 WORD".  Ends when its standard input does.
"""

import os
import select
import socket
import sys

folder = sys.argv[1]
sockets = {}


def open_all(port):
    for family, address, digit in ((socket.AF_INET, '127.0.0.1', '4'), (socket.AF_INET6, '::1', '6')):
        for kind, name in ((socket.SOCK_STREAM, 'tcp'), (socket.SOCK_DGRAM, 'udp')):
            sock = socket.socket(family, kind)
            sock.bind((address, port))
            port = sock.getsockname()[1]
            if kind == socket.SOCK_STREAM:
                sock.listen(16)
            sockets[sock] = name + digit
    return port


def note(name, data):
    with open(os.path.join(folder, 'log'), 'ab') as log:
        log.write(b'%s %s\n' % (name.encode(), data))


for attempt in range(20):
    try:
        port = open_all(0)
        break
    except OSError:
        for sock in sockets:
            sock.close()
        sockets.clear()
else:
    sys.exit('listener.py: no port is free for all')
open(os.path.join(folder, 'log'), 'wb').close()
with open(os.path.join(folder, 'port.new'), 'w') as f:
    f.write('%d\n' % port)
os.rename(os.path.join(folder, 'port.new'), os.path.join(folder, 'port'))

while True:
    for ready in select.select([sys.stdin, *sockets], [], [])[0]:
        if ready is sys.stdin:
            if not os.read(0, 1024):
                sys.exit(0)
        elif sockets[ready].startswith('udp'):
            note(sockets[ready], ready.recv(64))
        else:
            peer = ready.accept()[0]
            peer.settimeout(10)
            try:
                note(sockets[ready], peer.recv(64))
            except OSError:
                pass
            peer.close()
