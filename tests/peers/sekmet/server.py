"""server.py PORT: sekmet-fhir on 127.0.0.1. Its own command binds all addresses by default and can't pick a free port."""

import json
import os
import signal
import socket
import sys
import tempfile

import uvicorn


def settings(base: str, folder: str) -> dict:
    """What differs from its defaults; the simulator would answer to orders by itself."""
    environment = os.environ.get
    chosen = {
        "base_url": base,
        "data_dir": folder,
        "own_private_key_path": f"{folder}/key.pem",
        "simulator": {"enabled": False},
        "server_behaviour": {"absolute_references": environment("ABSOLUTE_REFERENCES") == "true"},
    }
    jwks = environment("SMART_JWKS")
    if jwks:
        with open(jwks, encoding="utf-8") as file:
            client = {
                "client_id": environment("SMART_CLIENT", "ipt"),
                "scopes": environment("SMART_SCOPES", "system/*.cruds"),
                "jwks": json.load(file),
            }
        chosen["server_auth"] = {
            "types": ["smart"],
            "token_lifetime": int(environment("TOKEN_LIFETIME", "300")),
            "smart_clients": [client],
        }
    return chosen


class Server(uvicorn.Server):
    """Says when it answers."""

    base = ""

    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        print(f"READY {self.base}", flush=True)


def main() -> None:
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", int(sys.argv[1])))
    base = f"http://127.0.0.1:{listening.getsockname()[1]}/fhir"
    # uvicorn ends in good order and then raises the signal again: by then the folder must go.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="sekmet-") as folder:
        path = f"{folder}/settings.yaml"
        with open(path, "w", encoding="utf-8") as file:
            json.dump(settings(base, folder), file)  # JSON is YAML
        os.environ["SEKMET_CONFIG"] = path
        os.chdir(folder)
        config = uvicorn.Config(
            "sekmet.main:app_factory", factory=True, log_level="warning", timeout_graceful_shutdown=1
        )
        server = Server(config)
        server.base = base
        server.run(sockets=[listening])
        os.chdir("/")


main()
