"""Read a pickle as data: its instructions are carried out here, one by one, and none of them can call anything.

A pickle is a program for a small stack machine. Python's own machine imports whatever the program names and calls it.
This one knows no names: what a pickle would import becomes a `Name`, a text; what it would build with it becomes an
`Inert`, an empty shell; what it would store in either is dropped. The exceptions are few and fixed: plain containers,
and the functions with which torch describes a tensor, which become a `TensorEntry`, a description of where its numbers
lie. No object that is made here has a method that a pickle could reach.

Instructions: ``pickletools`` of the standard library, which decodes them and runs none.
"""

from __future__ import annotations

import pickletools
import warnings
from collections.abc import Callable
from typing import Any, Protocol

from asdbench.checkpoints.pickled_tensors import CALLS, LARGEST, Inert, Name, is_key, length

INSTRUCTIONS = 5_000_000
"""Most instructions that are carried out; a checkpoint of 500 tensors with its optimiser has some 50,000.

What one instruction builds out of others counts too, by its length: it may be of any, and be built again and again.
"""

LONGEST_NAME = 1000
"""Longest module or attribute, in characters, that a pickle may name."""


class MalformedError(ValueError):
    """The bytes are no pickle, or one that no machine would accept."""


class Readable(Protocol):
    """A file as far as a pickle needs it."""

    def read(self, size: int) -> bytes:
        """Return up to ``size`` bytes."""

    def readline(self) -> bytes:
        """Return the bytes up to the next line end."""


class Machine:
    """Carries out one pickle.

    Args:
        persistent: Gives what a reference to something outside of the pickle stands for.

    Attributes:
        foreign: The names that the pickle would have imported and that were left inert, in order.
    """

    def __init__(self, persistent: Callable[[Any], Any] = lambda _: Inert("reference")) -> None:
        self.foreign: dict[str, None] = {}
        self._persistent = persistent
        self._stack: list[Any] = []
        self._marks: list[int] = []
        self._memo: dict[int, Any] = {}
        self._spent = 0

    def run(self, source: Readable) -> Any:
        """Carry out the instructions up to the first STOP and return the object that they describe.

        Raises:
            MalformedError: Not a pickle, a truncated one, one with more than `INSTRUCTIONS` instructions, a name
                longer than `LONGEST_NAME`, or one that asks for what its own stack does not hold.
        """
        try:
            # Texts of old pickles are decoded as Python literals, which may warn.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return self._run(source)
        except MalformedError:
            raise
        except MemoryError:
            raise
        except Exception as error:  # pickletools raises whatever the bytes happen to lead to
            raise MalformedError(f"its pickle is broken ({type(error).__name__})") from error

    def _run(self, source: Readable) -> Any:
        # pickletools takes anything that reads, whatever its annotation says.
        for operation, argument, _ in pickletools.genops(source):  # type: ignore[arg-type]
            self._charge(1)
            if operation.name == "STOP":
                return self._stack.pop()
            if operation.name in _PUSHES:
                self._stack.append(argument)
            elif operation.name in _CONSTANTS:
                self._stack.append(_CONSTANTS[operation.name])
            elif operation.name in _HANDLERS:
                _HANDLERS[operation.name](self, argument)
            else:
                raise MalformedError(f"its pickle has the instruction {operation.name}")
        raise MalformedError("its pickle does not end")

    def _charge(self, count: int) -> None:
        self._spent += count
        if self._spent > INSTRUCTIONS:
            raise MalformedError(
                f"its pickle has more than {INSTRUCTIONS:,} instructions, counted with the length of what they build"
            )

    def _pop(self, count: int) -> list[Any]:
        """Take the topmost entries, the lowest first."""
        if count > len(self._stack):
            raise MalformedError("its pickle takes more from the stack than it put there")
        taken = self._stack[len(self._stack) - count :]
        del self._stack[len(self._stack) - count :]
        return taken

    def _pop_marked(self) -> list[Any]:
        start = self._marks.pop()
        return self._pop(max(0, len(self._stack) - start))

    def _mark(self, _: Any) -> None:
        self._marks.append(len(self._stack))

    def _discard(self, _: Any) -> None:
        # As in Python's machine, a mark on top of the stack counts as an entry.
        if self._marks and self._marks[-1] == len(self._stack):
            self._marks.pop()
        else:
            self._pop(1)

    def _discard_marked(self, _: Any) -> None:
        self._pop_marked()

    def _duplicate(self, _: Any) -> None:
        self._stack.append(self._stack[-1])

    def _remember(self, index: int | None) -> None:
        if index is not None and not 0 <= index < LARGEST:
            raise MalformedError("its pickle numbers an object wrongly")
        self._memo[len(self._memo) if index is None else index] = self._stack[-1]

    def _recall(self, index: int) -> None:
        self._stack.append(self._memo[index])

    def _new_list(self, _: Any) -> None:
        self._stack.append([])

    def _new_dict(self, _: Any) -> None:
        self._stack.append({})

    def _new_set(self, _: Any) -> None:
        self._stack.append(Inert("set"))

    def _list(self, _: Any) -> None:
        self._stack.append(self._pop_marked())

    def _tuple(self, _: Any) -> None:
        self._stack.append(tuple(self._pop_marked()))

    def _dict(self, _: Any) -> None:
        content = self._pop_marked()
        self._stack.append({})
        self._store(content)

    def _frozenset(self, _: Any) -> None:
        self._pop_marked()
        self._stack.append(Inert("frozenset"))

    def _append(self, _: Any) -> None:
        self._extend(self._pop(1))

    def _append_all(self, _: Any) -> None:
        self._extend(self._pop_marked())

    def _extend(self, entries: list[Any]) -> None:
        target = self._stack[-1]
        if isinstance(target, list):
            target.extend(entries)
        elif not isinstance(target, Inert):
            raise MalformedError("its pickle appends to what is no list")

    def _set_item(self, _: Any) -> None:
        self._store(self._pop(2))

    def _set_items(self, _: Any) -> None:
        self._store(self._pop_marked())

    def _store(self, content: list[Any]) -> None:
        target = self._stack[-1]
        if len(content) % 2 or not isinstance(target, dict | Inert):
            raise MalformedError("its pickle stores entries in what is no table")
        if isinstance(target, dict):
            pairs = zip(content[::2], content[1::2], strict=True)
            target.update((key, value) for key, value in pairs if is_key(key))

    def _name(self, text: str) -> None:
        # As pickletools gives it: module and attribute, with a space between.
        self._stack.append(self._named(text.split(" ", 1)))

    def _name_from_stack(self, _: Any) -> None:
        parts = self._pop(2)
        self._stack.append(self._named(parts if all(isinstance(part, str) for part in parts) else ["unnamed"]))

    def _named(self, parts: list[str]) -> Name:
        # Two texts that are there once may be joined a million times.
        if any(len(part) > LONGEST_NAME for part in parts):
            raise MalformedError(f"its pickle names something in more than {LONGEST_NAME:,} characters")
        self._charge(sum(map(len, parts)))
        return Name(".".join(parts))

    def _name_from_table(self, code: int) -> None:
        # The table of short names is the process's own; it is not even looked at.
        self._stack.append(Name(f"extension {code:d}"))

    def _call(self, _: Any) -> None:
        function, arguments = self._pop(2)
        self._stack.append(self._built(function, arguments))

    def _call_with_keywords(self, _: Any) -> None:
        function, _arguments, _keywords = self._pop(3)
        self._stack.append(self._built(function, None))

    def _call_marked(self, _: Any) -> None:
        function, *arguments = self._pop_marked()
        self._stack.append(self._built(function, tuple(arguments)))

    def _call_named(self, text: str) -> None:
        arguments = self._pop_marked()
        self._stack.append(self._built(self._named(text.split(" ", 1)), tuple(arguments)))

    def _built(self, function: Any, arguments: Any) -> Any:
        name = function.text if isinstance(function, Name) else "something"
        known = CALLS.get(name)
        self._charge(length(arguments) if known is not None else 0)
        made = known(arguments) if known is not None and isinstance(arguments, tuple) else None
        if made is None:
            self.foreign.setdefault(name)
            return Inert(name)
        return made

    def _set_state(self, _: Any) -> None:
        self._pop(1)  # whatever it says, the object below stays as it is

    def _refer(self, _: Any) -> None:
        self._stack.append(self._persistent(*self._pop(1)))

    def _refer_by_text(self, _: str) -> None:
        self._stack.append(Inert("reference"))


_Handler = Callable[[Machine, Any], None]

_PUSHES = frozenset(
    {"INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"}
    | {"STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
    | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"}
)
_CONSTANTS: dict[str, Any] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}


def _tuple_of(count: int) -> _Handler:
    return lambda machine, _: machine._stack.append(tuple(machine._pop(count)))


_HANDLERS: dict[str, _Handler] = {
    "PROTO": lambda machine, _: None,
    "FRAME": lambda machine, _: None,
    "MARK": Machine._mark,
    "POP": Machine._discard,
    "POP_MARK": Machine._discard_marked,
    "DUP": Machine._duplicate,
    **dict.fromkeys(("PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE"), Machine._remember),
    **dict.fromkeys(("GET", "BINGET", "LONG_BINGET"), Machine._recall),
    "EMPTY_LIST": Machine._new_list,
    "EMPTY_DICT": Machine._new_dict,
    "EMPTY_SET": Machine._new_set,
    "LIST": Machine._list,
    "TUPLE": Machine._tuple,
    "DICT": Machine._dict,
    "FROZENSET": Machine._frozenset,
    **{f"TUPLE{count}": _tuple_of(count) for count in (1, 2, 3)},
    "APPEND": Machine._append,
    "APPENDS": Machine._append_all,
    "ADDITEMS": Machine._append_all,
    "SETITEM": Machine._set_item,
    "SETITEMS": Machine._set_items,
    "GLOBAL": Machine._name,
    "STACK_GLOBAL": Machine._name_from_stack,
    **dict.fromkeys(("EXT1", "EXT2", "EXT4"), Machine._name_from_table),
    **dict.fromkeys(("REDUCE", "NEWOBJ"), Machine._call),
    "NEWOBJ_EX": Machine._call_with_keywords,
    "OBJ": Machine._call_marked,
    "INST": Machine._call_named,
    "BUILD": Machine._set_state,
    "BINPERSID": Machine._refer,
    "PERSID": Machine._refer_by_text,
}
