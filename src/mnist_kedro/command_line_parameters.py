"""Parse the value of ``kedro run --params``."""

import string
from collections.abc import Iterator
from typing import Any

from omegaconf import OmegaConf

from mnist_kedro.errors import InputError

_CLOSING = {"[": "]", "{": "}", '"': '"', "'": "'"}
_SEPARATORS = string.whitespace + ","


def parse_parameters(text: str) -> dict[str, Any]:
    """Parse ``a.b=1,c=[x,y]`` into nested mappings.

    Kedro's own parser splits at every comma. This parser does not split inside brackets, braces
    and quotes. Otherwise, both parsers give the same result.

    Args:
        text: assignments of parameters, separated by commas.

    Returns:
        Nested mappings of the values: ``{"a": {"b": 1}, "c": ["x", "y"]}``.

    Raises:
        InputError: if an assignment has no name or no ``=``, a bracket, brace or quote is not
            closed, a value is not valid YAML, or a parameter is set twice.
    """
    assignments: dict[str, str] = {}
    for name, value in _split(text):
        for other in assignments:
            one, two = _dotted(name), _dotted(other)
            if one.startswith(two) or two.startswith(one):
                raise InputError(
                    f"'{_one_line(other)}' and '{_one_line(name)}' set the same parameter."
                )
        assignments[name] = value
    try:
        parsed = OmegaConf.from_dotlist([f"{name}={value}" for name, value in assignments.items()])
        container: Any = OmegaConf.to_container(parsed)
    except Exception as error:  # YAML and OmegaConf raise many types of exceptions
        raise InputError(
            f"'{_one_line(text)}' cannot be parsed ({_one_line(str(error))})."
        ) from error
    return container


def _dotted(name: str) -> str:
    """Normalize ``a.b`` and ``a[b]`` to ``a.b.``, so that prefixes of names can be compared."""
    return name.replace("[", ".").replace("]", "") + "."


def _split(text: str) -> Iterator[tuple[str, str]]:
    """Yield the name and value of each assignment."""
    rest = text
    while rest := rest.lstrip(_SEPARATORS):
        name, equals, rest = rest.partition("=")
        if not equals or not name.strip() or "," in name:
            item = name.partition(",")[0].strip() or f"={rest.partition(',')[0]}"
            raise InputError(f"expected <parameter>=<value>, found '{_one_line(item)}'.")
        value, rest = _split_value(name.strip(), rest)
        yield name.strip(), value.strip()


def _split_value(name: str, text: str) -> tuple[str, str]:
    """Split text into its first value and the rest."""
    text = text.lstrip()
    if text[:1] not in _CLOSING:
        value, _, rest = text.partition(",")
        return value, rest
    closing = _CLOSING[text[0]]
    for end in (end for end in range(2, len(text) + 1) if text[end - 1] == closing):
        if _is_yaml(text[:end]):
            after, _, rest = text[end:].partition(",")
            return text[:end] + after, rest
    raise InputError(f"{_one_line(name)}: unclosed bracket, brace or quote in '{_one_line(text)}'.")


def _is_yaml(text: str) -> bool:
    try:
        OmegaConf.create(text)
    except Exception:  # noqa: BLE001  (YAML and OmegaConf raise many types)
        return False
    return True


def _one_line(text: str) -> str:
    return " ".join(text.split())
