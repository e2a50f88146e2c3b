# The server of classroom B: Napster with words between spaces. It knows who has which file, and never sees a file.
# Written as a student would in a week: one thread a connection, one request a connection, no line feeds, no checks.
#
#   python3 b_server.py PORT        (0 takes any free port; the port is printed)

import socket
import sys
import threading

peers = {}  # "ip:port" -> the text in which its names are


def serve(conn):
    text = conn.recv(65536).decode()
    print("<", text, flush=True)
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


server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
print("port", server.getsockname()[1], flush=True)
while True:
    conn, _ = server.accept()
    threading.Thread(target=serve, args=(conn,)).start()
