"""The HTTP server in front of the gateway: a thread that serves until it is stopped."""

import socket
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING

import uvicorn

if TYPE_CHECKING:
    from local.gateway import Gateway


def served(gateway: "Gateway", finish_seconds: int) -> uvicorn.Config:
    """How HTTP is spoken. `finish_seconds` are for requests that are being answered when it stops."""
    return uvicorn.Config(
        gateway,
        # httptools takes every request with `Upgrade`, which curl and Java send to try HTTP/2, for one without a body
        http="h11",
        ws="none",
        lifespan="off",
        interface="asgi3",
        # X-Forwarded-For and -Proto would be believed: here the caller is who connects
        proxy_headers=False,
        log_level="error",
        access_log=False,
        server_header=False,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=finish_seconds,
    )


class HttpServer:
    """Serves the gateway on a socket that listens already."""

    def __init__(self, gateway: "Gateway", listener: socket.socket, finish_seconds: int) -> None:
        self._server = _Server(served(gateway, finish_seconds))
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="http", daemon=True)

    def start(self) -> None:
        """Serves from now on; who connected before has waited."""
        self._thread.start()

    def stop(self) -> None:
        """Finishes what is being answered, if that is soon. Stopping again does nothing."""
        self._server.should_exit = True
        self._thread.join()


class _Server(uvicorn.Server):
    def capture_signals(self) -> AbstractContextManager[None]:  # type: ignore[override]
        """Leaves signals to the service: only the main thread gets them."""
        return nullcontext()
