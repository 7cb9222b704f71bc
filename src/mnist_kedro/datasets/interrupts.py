"""Postpone Ctrl-C while the HDF5 library writes.

HDF5 writes to a Python file through callbacks. A ``KeyboardInterrupt`` that is raised inside a
callback is lost: Cython prints it and continues, as if Ctrl-C had never been pressed.
"""

import ctypes
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_lock = threading.Lock()
_postponed: dict[int, list[Callable[[], None]]] = {}  # handlers to call later, by thread


@contextmanager
def interrupts_postponed() -> Iterator[Callable[[], None]]:
    """Postpone SIGINT, SIGTERM and ``interrupt_thread`` for the current thread.

    Yields:
        A function that delivers the interrupts postponed so far; the end of the block does so too.
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
    if threading.current_thread() is not threading.main_thread():  # others get no signals
        return {}
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    handlers = {number: handler for number, handler in handlers.items() if callable(handler)}
    for number, handler in handlers.items():
        signal.signal(
            number,
            lambda *arguments, handler=handler: waiting.append(lambda: handler(*arguments)),
        )
    return handlers


def interrupt_thread(thread: int) -> None:
    """Raise ``KeyboardInterrupt`` in a thread of this process; later, if it is postponed there."""
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
