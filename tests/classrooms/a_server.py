# The server of classroom A: Napster with JSON. It knows who has which file, and never sees a file.
#
#   python3 a_server.py PORT        (0 takes any free port; the port is printed)

import json
import sys

from common import read_request, run_server

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
    text = read_request(conn, 65536)
    try:
        conn.send(answer(text, ip).encode())
    except Exception as error:
        print("bad request:", error, flush=True)
    conn.close()


run_server(int(sys.argv[1]), serve)
