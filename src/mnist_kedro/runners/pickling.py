"""Pickle Kedro's empty datasets and any exception, which Python's and Dask's pickle cannot."""

import inspect
import io
import pickle
from types import TracebackType
from typing import Any

import cloudpickle
from kedro.io.memory_dataset import _EMPTY

_MAX_FRAMES = 50  # keep the last 50; Python cannot pickle the traceback of endless recursion


class _Pickler(cloudpickle.Pickler):
    def persistent_id(self, value: Any) -> str | None:
        """Replace the marker of an empty MemoryDataset, which Kedro compares with ``is``."""
        return "empty" if value is _EMPTY else None

    def reducer_override(self, value: Any) -> Any:
        """Keep the tracebacks and causes of exceptions; unpickle without calling ``__init__``."""
        from tblib import pickling_support  # noqa: PLC0415  (an optional dependency)

        if isinstance(value, BaseException):
            init = type(value).__init__
            builtin = () if inspect.isfunction(init) else (init,)
            restore, parts, *rest = pickling_support.pickle_exception(value, builtin_inits=builtin)
            if restore is pickling_support.unpickle_exception_with_attrs:
                parts[1].update(_slots(value))
            return restore, parts, *rest
        if isinstance(value, TracebackType):
            frames = [value]
            while frames[-1].tb_next:
                frames.append(frames[-1].tb_next)
            return pickling_support.pickle_traceback(frames[max(0, len(frames) - _MAX_FRAMES)])
        return super().reducer_override(value)


def _slots(value: Any) -> dict[str, Any]:
    """Return the attributes that are not in ``__dict__``, such as the code of a SystemExit."""
    keys = [
        key
        for base in type(value).__mro__
        for key, member in vars(base).items()
        if inspect.ismemberdescriptor(member) and not key.startswith("_")
    ]
    return {key: part for key in keys if (part := getattr(value, key, None)) is not None}


class _Unpickler(pickle.Unpickler):
    def persistent_load(self, _: str) -> Any:
        """Return this process's marker of an empty MemoryDataset."""
        return _EMPTY


class Unpicklable:
    """Placeholder for a value that cannot be pickled."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def __repr__(self) -> str:
        return f"<{self.kind} that cannot be pickled>"


def dumps(value: Any) -> bytes:
    """Pickle a value; pickle the code of functions and classes that cannot be imported."""
    file = io.BytesIO()
    _Pickler(file).dump(value)
    return file.getvalue()


def loads(pickled: bytes) -> Any:
    """Unpickle the result of :func:`dumps`."""
    return _Unpickler(io.BytesIO(pickled)).load()


def dumps_anything(value: Any) -> bytes:
    """Pickle a value; replace an exception or dict items that cannot be pickled."""
    try:
        loads(pickled := dumps(value))
    except Exception:  # noqa: BLE001  (pickling may run any code)
        return dumps(_with_placeholders(value))
    return pickled


def _with_placeholders(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: loads(dumps_anything(part)) for key, part in value.items()}
    if isinstance(value, BaseException):
        substitute = RuntimeError(f"{type(value).__qualname__}: {value}")
        return substitute.with_traceback(value.__traceback__)
    return Unpicklable(type(value).__name__)
