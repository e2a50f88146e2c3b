# The client of classroom A. Its own files are in the folder that is called like OWN_PORT.
#
#   python3 a_client.py INDEX_PORT OWN_PORT join
#   python3 a_client.py INDEX_PORT OWN_PORT search NAME
#   python3 a_client.py INDEX_PORT OWN_PORT download NAME
#   python3 a_client.py INDEX_PORT OWN_PORT update [NAME]
#
# It prints each answer as it came, between brackets.

import json
import os
import sys

import common

index_port, own_port, command = int(sys.argv[1]), sys.argv[2], sys.argv[3]
name = sys.argv[4] if len(sys.argv) > 4 else ""


def request(port, method, data):
    sock, answer = common.request(port, json.dumps({"method": method, "data": data}))
    print("[" + answer + "]", flush=True)
    return sock, answer


def download():
    sock, answer = request(index_port, "SEARCH", {"query": name})
    sock.close()
    found = json.loads(answer)
    if found == []:
        print("ninguém tem esse arquivo")
        return
    port = found[0].split(":")[1]
    # The same request goes to the index, which knows whether the peer has the file, and then to the peer.
    wanted = {"filename": name, "port": port}
    sock, answer = request(index_port, "DOWNLOAD_REQUEST", wanted)
    sock.close()
    if answer != "OK":
        return
    sock, answer = request(int(port), "DOWNLOAD_REQUEST", wanted)
    header = json.loads(answer)
    if header["status"] != "OK":
        print("arquivo não existe")
        return
    if header["data"] != "SIM":
        print("recusado")
        return
    os.makedirs(own_port, exist_ok=True)
    received = common.receive_blocks(sock, os.path.join(own_port, name), header["file_size"])
    print("recebido", received, "de", header["file_size"])
    update()


def update():
    files = os.listdir(own_port)
    sock, _ = request(index_port, "UPDATE", {"files": files, "port": own_port})
    sock.close()


if command == "join":
    request(index_port, "JOIN", {"files": os.listdir(own_port), "port": own_port})
elif command == "search":
    request(index_port, "SEARCH", {"query": name})
elif command == "download":
    download()
elif name != "":
    request(index_port, "UPDATE", {"filename": name, "port": own_port})
else:
    update()
