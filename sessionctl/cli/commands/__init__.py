"""One module a command, imported when the command is called: options, one call of the library, one view."""
