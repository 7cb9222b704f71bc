"""Exchange messages between a node on a worker and the process that started the run."""

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple
from uuid import uuid4

from mnist_kedro.runners.errors import DaskRunnerError
from mnist_kedro.runners.pickling import dumps, dumps_anything, loads

_POLL_SECONDS = 5  # between two checks that the run still waits for the node


class Message(NamedTuple):
    """A message that a node starts, calls a hook, saves a version, or has ended."""

    node: str
    sender: str  # name of the queue for the answer
    kind: str
    content: tuple[Any, ...]


class Messenger:
    """Send messages from the worker thread that runs a node."""

    def __init__(self, run: str, node: str) -> None:
        from distributed import Queue, get_worker  # noqa: PLC0415

        self._node, self._sender = node, uuid4().hex
        self._messages, self._answers = Queue(run), Queue(self._sender)
        self._worker = get_worker()
        self.worker: str = self._worker.address
        self._key = self._worker.get_current_task()

    def send(self, kind: str, *content: Any) -> None:
        """Send a message; return after the scheduler has received it."""
        self._messages.put(dumps(Message(self._node, self._sender, kind, content)))

    def ask(self, kind: str, *content: Any) -> Any:
        """Send a message, and return the answer; if the answer is an exception, raise it."""
        self.send(kind, *content)
        while True:
            self.check_not_cancelled()
            try:
                error, answer = loads(self._answers.get(timeout=_POLL_SECONDS))
            except TimeoutError:
                continue
            if error is not None:
                raise error
            return answer

    def check_not_cancelled(self) -> None:
        """Raise a DaskRunnerError if the run failed or was interrupted, or its process ended."""
        task = self._worker.state.tasks.get(self._key)
        if task is None or task.state == "cancelled":
            raise DaskRunnerError(f"{self._node}: the run has ended.")

    def close(self) -> None:
        """Remove the queue of answers from the scheduler, and stop using the queue of messages."""
        self._answers.close()
        self._messages.close()


class Inbox:
    """Receive messages in the process that started the run."""

    def __init__(self, client: Any, run: str) -> None:
        from distributed import Queue  # noqa: PLC0415

        self._client, self._messages = client, Queue(run, client=client)
        self._received: SimpleQueue[bytes | Exception] = SimpleQueue()
        # Receive in a thread, because interrupting a wait would lose the next message.
        self._thread = threading.Thread(target=self._collect, daemon=True)
        self._thread.start()

    def _collect(self) -> None:
        try:
            while message := self._messages.get():
                self._received.put(message)
        except Exception as error:  # noqa: BLE001  (the connection to the scheduler is lost)
            self._received.put(error)

    def receive(self, seconds: float) -> Message | None:
        """Return the next message; None if no message arrives within ``seconds``."""
        try:
            received = self._received.get(timeout=seconds)
        except Empty:
            return None
        if isinstance(received, Exception):
            raise received
        return Message(*loads(received))

    def answer(self, message: Message, respond: Callable[[], Any]) -> Exception | None:
        """Answer with the result of ``respond()``, or with its exception; return the exception."""
        from distributed import Queue  # noqa: PLC0415

        error, answer = None, None
        try:
            answer = respond()
        except Exception as raised:  # noqa: BLE001  (hooks may raise anything)
            error = raised
        queue = Queue(message.sender, client=self._client)
        queue.put(dumps((error and loads(dumps_anything(error)), answer)))
        queue.close()
        return error

    def close(self) -> None:
        """Remove the queue of messages from the scheduler."""
        self._messages.put(b"")  # ends the thread
        self._thread.join()
        self._messages.close()
