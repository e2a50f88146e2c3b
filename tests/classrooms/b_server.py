# The server of classroom B: Napster with words between spaces. It knows who has which file, and never sees a file.
#
#   python3 b_server.py PORT        (0 takes any free port; the port is printed)

import sys

from common import read_request, run_server

peers = {}  # "ip:port" -> the text in which its names are


def serve(conn, _):
    text = read_request(conn, 65536)
    try:
        method, rest = text.split(" ", 1)
        address, names = rest.split(" ", 1)
        if method == "JOIN":
            peers[address] = names
            conn.send(b"JOIN_OK")
        elif method == "SEARCH":
            found = [peer for peer in peers if names in peers[peer]]
            # Where nobody has it, nothing is sent.
            if found:
                conn.send(" ".join(found).encode())
        elif method == "UPDATE":
            peers[address] = peers.get(address, "") + " " + names
            conn.send(b"UPDATE_OK")
    except Exception as error:
        print("bad request:", error, flush=True)
    conn.close()


run_server(int(sys.argv[1]), serve)
