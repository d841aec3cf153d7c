"""The program, and servers, for the tests of stores."""

from tests.cli.conftest import home, process, run
from tests.servers import memcached_server, redis_server, server_directory

__all__ = ["home", "memcached_server", "process", "redis_server", "run", "server_directory"]
