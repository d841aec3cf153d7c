"""A TAB press: the line as each shell gives it, and what is offered as its script takes it.

A line of the answer is `KIND<TAB>VALUE<TAB>HELP`, an empty one where nothing is offered; of the kinds `open`
and `path` no blank follows where more may be typed. The words of the line travel in the environment, where no
list of processes shows them.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from click.shell_completion import ShellComplete, add_completion_class, split_arg_string

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

LINE = "_SESSIONCTL_LINE"
"""The environment variable with the command line up to the cursor."""

BREAKS = "_SESSIONCTL_BREAKS"
"""The one with the characters at which bash begins a new word inside a word."""


class _Shell(ShellComplete):
    """What the shells have in common."""

    head = ""
    """What of the current word is not part of the value: `--format=`."""

    def get_completion_args(self) -> tuple[list[str], str]:
        """The arguments before the cursor, and the beginning of the one at it."""
        *words, last = split_arg_string(os.environ[LINE] + "x")
        while words and "=" in words[0]:
            del words[0]  # NAME=VALUE in front of the command
        last = last[:-1]
        if last.startswith("--") and "=" in last:
            self.head = last[: last.index("=") + 1]
        return words[1:], last

    def format_completion(self, item: CompletionItem[Any]) -> str:
        """A line of the answer."""
        help_text = " ".join((item.help or "").split())
        return f"{self._kind(item)}\t{self._value(self.head + item.value)}\t{help_text}"

    def _kind(self, item: CompletionItem[Any]) -> str:
        return (
            "open" if item.type == "open" or (item.type == "path" and item.value.endswith("/")) else "plain"
        )

    def _value(self, value: str) -> str:
        return value


@add_completion_class
class _Bash(_Shell):
    """bash replaces only what stands behind the last `:` or `=` of a word that is not quoted."""

    name = "bash"
    source_template = """\
_sessionctl_completion() {
    local kind value
    COMPREPLY=()
    while IFS=$'\\t' read -r kind value _; do
        [[ -n $value ]] || continue
        COMPREPLY+=("$value")
        [[ $kind == open ]] && compopt -o nospace
    done < <(_SESSIONCTL_LINE="${COMP_LINE:0:COMP_POINT}" _SESSIONCTL_BREAKS="$COMP_WORDBREAKS" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F _sessionctl_completion %(prog_name)s 2>/dev/null ||
    complete -F _sessionctl_completion %(prog_name)s
"""

    def _value(self, value: str) -> str:
        last = split_arg_string(os.environ[LINE] + "x")[-1][:-1]
        if _is_quoted(os.environ[LINE]):
            return value
        begin = max((last.rfind(char) + (char != "@") for char in os.environ.get(BREAKS, "")), default=0)
        begin = max(begin, 0)  # an @ itself is replaced with what stands behind it
        return re.sub(r"([^\w@%+=:,./~-])", r"\\\1", value[begin:])


@add_completion_class
class _Zsh(_Shell):
    """zsh replaces the whole word, and quotes what it puts there."""

    name = "zsh"
    source_template = """\
#compdef %(prog_name)s

_sessionctl_completion() {
    local -a plain open
    local kind value told
    (( $+commands[%(prog_name)s] )) || return 1
    while IFS=$'\\t' read -r kind value told; do
        [[ -n $value ]] || continue
        value="${value//:/\\\\:}${told:+:$told}"
        if [[ $kind == open ]]; then open+=("$value"); else plain+=("$value"); fi
    done < <(_SESSIONCTL_LINE="${(j: :)words[1,CURRENT-1]} $QIPREFIX$PREFIX" \\
        %(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)
    (( $#open )) && _describe -V %(prog_name)s open -U -S ''
    (( $#plain )) && _describe -V %(prog_name)s plain -U
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    _sessionctl_completion "$@"
else
    compdef _sessionctl_completion %(prog_name)s
fi
"""

    def _value(self, value: str) -> str:
        return os.path.expanduser(value)  # which it would quote, and then not expand


@add_completion_class
class _Fish(_Shell):
    """fish replaces the whole word, quotes, and adds no blank behind `/`, `=` and `:`."""

    name = "fish"
    source_template = """\
function _sessionctl_completion
    command -q %(prog_name)s; or return
    set -lx _SESSIONCTL_LINE (commandline -cp | string collect)
    set -lx %(complete_var)s fish_complete
    for row in (%(prog_name)s 2>/dev/null)
        string split -m 1 -f 2 \\t -- $row
    end
end

complete --no-files --keep-order --command %(prog_name)s --arguments '(_sessionctl_completion)'
"""


def _is_quoted(line: str) -> bool:
    """Whether the line ends inside quotes."""
    import shlex

    try:
        shlex.split(line)
    except ValueError:
        return True
    return False
