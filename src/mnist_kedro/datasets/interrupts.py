"""Keep Ctrl-C away from the HDF5 library.

HDF5 writes to a Python file through callbacks. A ``KeyboardInterrupt`` that is raised inside of a
callback is lost: Cython prints it and goes on, so the run continues as if Ctrl-C was never pressed.
"""

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_lock = threading.Lock()
_postponed: dict[int, list[Callable[[], None]]] = {}  # by thread, what to call later


@contextmanager
def interrupts_postponed() -> Iterator[Callable[[], None]]:
    """Postpone SIGINT, SIGTERM and ``interrupt_thread`` for the current thread.

    Yields:
        A function that delivers what was postponed so far; the end of the block does it, too.
    """
    thread = threading.get_ident()
    waiting: list[Callable[[], None]] = []

    def deliver() -> None:
        while waiting:
            waiting.pop(0)()

    with _lock:
        nested = thread in _postponed
        if not nested:
            _postponed[thread] = waiting
    if nested:  # the outer block delivers
        yield deliver
        return
    handlers: dict[signal.Signals, Any] = {}
    try:
        handlers = _collect_signals(waiting)
        yield deliver
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        with _lock:
            del _postponed[thread]
        deliver()


def _collect_signals(waiting: list[Callable[[], None]]) -> dict[signal.Signals, Any]:
    """Append the handlers of signals to a list instead of calling them; return the handlers."""
    if threading.current_thread() is not threading.main_thread():  # no other receives signals
        return {}
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number, handler in handlers.items():
        signal.signal(
            number,
            lambda *given, handler=handler: waiting.append(lambda: handler(*given)),
        )
    return handlers


def interrupt_thread(thread: int) -> None:
    """Raise ``KeyboardInterrupt`` in a thread of this process, later if it is postponed there."""
    with _lock:
        waiting = _postponed.get(thread)
        if waiting is not None:
            waiting.append(_interrupt)
            return
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt)
        )


def _interrupt() -> None:
    raise KeyboardInterrupt
