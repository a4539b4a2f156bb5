"""The HTTP server: listeners, connections, and the bridge to the WSGI application."""
