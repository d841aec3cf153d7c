r"""The name in a pickle of `[name, value]`, told without making the value where it has the usual shape.

    \x80 protocol [\x95 frame size] "]" memo "(" text value "e" "."

    value   text, None, a boolean, a number; "]" or "}" memo, and what goes into it:
            value "a", "(" value ... "e", text value "s", "(" text value ... "u"
    text    "X" size (4 bytes) UTF-8 memo, \x8c size UTF-8 memo
    memo    "q" index, \x94, or nothing

Whatever is accepted here the machine of `sessionctl.payload.pickle_machine` reads too, to the same name and to a
value that JSON can hold, in three times as long: nothing is taken from the memo, so it is a tree, and it is small.
"""

from __future__ import annotations

from typing import Final

_LARGEST: Final = 1 << 12
"""Bytes: browsers keep no longer cookies."""
_CONTAINERS: Final = 32
"""The brackets that there may be: so few containers are not nested too deep."""
_HIGHEST_PROTOCOL: Final = 5
_PAIR: Final = 2

_LIST, _DICT, _MARK, _FRAME, _STOP = b"]}(\x95."
_APPEND, _EXTEND, _SET_ITEM, _SET_ITEMS = b"aesu"
_TEXT, _SHORT_TEXT = b"X\x8c"
_TEXTS: Final = {_TEXT: 5, _SHORT_TEXT: 2}
"""Bytes before the UTF-8."""
_MEMOS: Final = {ord("q"): 2, 0x94: 1}
_WHOLE: Final = {
    _LIST: 1, _DICT: 1, ord("N"): 1, 0x88: 1, 0x89: 1, ord("K"): 2, ord("M"): 3, ord("J"): 5, ord("G"): 9
}  # fmt: skip
"""Bytes of the instructions that make a value by themselves."""
_INTO_LIST: Final = (_APPEND, _EXTEND)
_INTO_DICT: Final = (_SET_ITEM, _SET_ITEMS)
_SIZES: Final = [_WHOLE.get(opcode, 0) for opcode in range(256)]
_FROM_TOP: Final = {_APPEND: 1, _SET_ITEM: 2}
"""Values that go into a container; with the others it is all since the last mark."""


def name_of_pair(data: bytes) -> str | None:
    """The first of two values, a text, or None where the shape is another and only the machine can tell."""
    if data[:1] != b"\x80" or len(data) > _LARGEST or data.count(b"]") + data.count(b"}") > _CONTAINERS:
        return None
    try:
        at = 11 if data[2] == _FRAME else 2
        begin = at + 1 + _MEMOS.get(data[at + 1], 0)
        if data[1] > _HIGHEST_PROTOCOL or data[at] != _LIST or data[begin] != _MARK:
            return None
        return _scan(data, begin + 1)
    except (LookupError, UnicodeDecodeError):
        return None


def _scan(data: bytes, at: int) -> str | None:
    """The same, from behind the first mark. Raises `LookupError` and `UnicodeDecodeError` for another shape."""
    name = ""
    kinds: list[int] = []  # of the values, by their instructions
    base, outer = 0, list[int]()  # how many there were at the last mark, and at those before it
    sizes, texts, memos = _SIZES, _TEXTS, _MEMOS
    while True:
        opcode = data[at]
        if opcode in texts:
            start = at + texts[opcode]
            at = start + (
                data[at + 1] if opcode == _SHORT_TEXT else int.from_bytes(data[at + 1 : start], "little")
            )
            text = data[start:at].decode()
            name = name if kinds else text
            kinds.append(_TEXT)
            at += memos.get(data[at], 0)
        elif sizes[opcode]:
            at += sizes[opcode]
            kinds.append(opcode)
        elif opcode == _MARK:
            outer.append(base)
            base = len(kinds)
            at += 1
        elif opcode in memos and len(kinds) > base:
            at += memos[opcode]
        elif opcode == _EXTEND and not outer:
            return name if len(kinds) == _PAIR and kinds[0] == _TEXT and data[at + 1] == _STOP else None
        else:
            start = len(kinds) - _FROM_TOP[opcode] if opcode in _FROM_TOP else base
            base = base if opcode in _FROM_TOP else outer.pop()
            if start <= base or not _fits(opcode, kinds, start):
                return None
            del kinds[start:]
            at += 1


def _fits(opcode: int, kinds: list[int], start: int) -> bool:
    """Whether the instruction puts the values from there on into a container before them."""
    if opcode in _INTO_LIST:
        return kinds[start - 1] == _LIST
    keys = kinds[start::2].count(_TEXT)
    return opcode in _INTO_DICT and kinds[start - 1] == _DICT and 2 * keys == len(kinds) - start
