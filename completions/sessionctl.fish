function _sessionctl_completion
    command -q sessionctl; or return
    set -lx _SESSIONCTL_LINE (commandline -cp | string collect)
    set -lx _SESSIONCTL_COMPLETE fish_complete
    for row in (sessionctl 2>/dev/null)
        string split -m 1 -f 2 \t -- $row
    end
end

complete --no-files --keep-order --command sessionctl --arguments '(_sessionctl_completion)'
