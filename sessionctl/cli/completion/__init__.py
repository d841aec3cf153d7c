"""The TAB key: how each shell asks and is answered, what is offered, and the scripts that shells load."""
