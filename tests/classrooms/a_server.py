# The server of classroom A: Napster with JSON. It knows who has which file, and never sees a file.
# Written as a student would in a week: one thread a connection, one request a connection, no line feeds, no checks.
#
#   python3 a_server.py PORT        (0 takes any free port; the port is printed)

import json
import socket
import sys
import threading

peers = {}  # "ip:port" -> list of file names


def answer(text, ip):
    request = json.loads(text)
    method = request["method"]
    data = request["data"]
    if method == "JOIN":
        peers[ip + ":" + str(data["port"])] = data["files"]
        return "JOIN_OK"
    if method == "SEARCH":
        return json.dumps([peer for peer in peers if data["query"] in peers[peer]])
    if method == "DOWNLOAD_REQUEST":
        files = peers.get(ip + ":" + str(data["port"]), [])
        return "OK" if data["filename"] in files else "Arquivo não encontrado"
    if method == "UPDATE":
        # The list of the peer is replaced by the one it sends.
        peers[ip + ":" + str(data["port"])] = data["files"]
        return "UPDATE_OK"


def serve(conn, ip):
    text = conn.recv(65536).decode()
    print("<", text, flush=True)
    try:
        conn.send(answer(text, ip).encode())
    except Exception as error:
        print("bad request:", error, flush=True)
    conn.close()


server = socket.socket()
server.bind(("127.0.0.1", int(sys.argv[1])))
server.listen()
print("port", server.getsockname()[1], flush=True)
while True:
    conn, (ip, _) = server.accept()
    threading.Thread(target=serve, args=(conn, ip)).start()
