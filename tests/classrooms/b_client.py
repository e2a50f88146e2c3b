# The client of classroom B. Its own files are in FOLDER.
#
#   python3 b_client.py INDEX_PORT OWN_PORT FOLDER join
#   python3 b_client.py INDEX_PORT OWN_PORT FOLDER search NAME
#   python3 b_client.py INDEX_PORT OWN_PORT FOLDER download NAME
#   python3 b_client.py INDEX_PORT OWN_PORT FOLDER update NAME
#
# It prints each answer as it came, between brackets.

import os
import sys

import common

index_port, own, folder, command = int(sys.argv[1]), "127.0.0.1:" + sys.argv[2], sys.argv[3], sys.argv[4]
name = sys.argv[5] if len(sys.argv) > 5 else ""


def request(port, text):
    sock, answer = common.request(port, text)
    print("[" + answer + "]", flush=True)
    return sock, answer


def download():
    sock, answer = request(index_port, f"SEARCH {own} {name}")
    sock.close()
    # Whatever comes is a list of addresses.
    found = answer.split()
    if found == []:
        print("ninguém tem esse arquivo")
        return
    sock, answer = request(int(found[0].split(":")[1]), f"DOWNLOAD {name}")
    if answer != "Arquivo Encontrado!":
        print("falhou")
        return
    received = common.receive_blocks(sock, os.path.join(folder, name))
    print("recebido", received)
    request(index_port, f"UPDATE {own} {name}")


if command == "join":
    request(index_port, f"JOIN {own} {os.listdir(folder)}")
elif command == "search":
    request(index_port, f"SEARCH {own} {name}")
elif command == "download":
    download()
else:
    request(index_port, f"UPDATE {own} {name}")
