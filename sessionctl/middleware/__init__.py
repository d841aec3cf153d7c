"""Sessions for any WSGI or ASGI application: read before it runs, saved when its response begins."""
