_sessionctl_completion() {
    local kind value
    COMPREPLY=()
    while IFS=$'\t' read -r kind value _; do
        [[ -n $value ]] || continue
        COMPREPLY+=("$value")
        [[ $kind == open ]] && compopt -o nospace
    done < <(_SESSIONCTL_LINE="${COMP_LINE:0:COMP_POINT}" _SESSIONCTL_BREAKS="$COMP_WORDBREAKS" \
        _SESSIONCTL_COMPLETE=bash_complete "$1" 2>/dev/null)
}

complete -o nosort -F _sessionctl_completion sessionctl 2>/dev/null ||
    complete -F _sessionctl_completion sessionctl
