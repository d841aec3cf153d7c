"""The Lua scripts by which Redis changes a record only if it still is what was read.

Each compares the whole text and never parses it: Redis' own JSON library would lose empty lists and large
integers. Each answers 1 where it is done, else the record as it is now, or nil where there is none. They are
called by digest; a server that has forgotten one, as after a restart, is sent the text once.
"""

from __future__ import annotations

import hashlib
from typing import Any

Command = tuple[Any, ...]
"""A command with its arguments, as `execute_command` takes them."""

_texts: dict[str, str] = {}


def _digest(text: str) -> str:
    digest = hashlib.sha1(text.encode()).hexdigest()
    _texts[digest] = text
    return digest


# ARGV: the text expected, the new one, its life in milliseconds ("": the life that is left)
SWAP = _digest("""
local current = redis.call('GET', KEYS[1])
if current ~= ARGV[1] then return current end
if ARGV[3] == '' then
  redis.call('SET', KEYS[1], ARGV[2], 'KEEPTTL')
else
  redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
end
return 1
""")

# ARGV: as of SWAP, then "1" to keep the old record
MOVE = _digest("""
local current = redis.call('GET', KEYS[1])
if current ~= ARGV[1] then return current end
local life = ARGV[3]
if life == '' then life = redis.call('PTTL', KEYS[1]) end
if tonumber(life) > 0 then
  redis.call('SET', KEYS[2], ARGV[2], 'PX', life)
else
  redis.call('SET', KEYS[2], ARGV[2])
end
if ARGV[4] == '' then redis.call('DEL', KEYS[1]) end
return 1
""")

# ARGV: the text expected, the most milliseconds of life that it may have left ("": any)
DELETE = _digest("""
local current = redis.call('GET', KEYS[1])
if current ~= ARGV[1] then return current end
if ARGV[2] ~= '' and redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then return current end
redis.call('DEL', KEYS[1])
return 1
""")

PEEK = _digest("return {redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])}")


def call(digest: str, keys: tuple[bytes, ...], *arguments: bytes | str | int) -> Command:
    """The command that runs a script by its digest."""
    return ("EVALSHA", digest, len(keys), *keys, *arguments)


def spelled_out(command: Command) -> Command:
    """The same command with the script's text, for a server that does not know the digest."""
    return ("EVAL", _texts[command[1]], *command[2:])
