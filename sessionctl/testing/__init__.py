"""The contract that every storage keeps, as tests to inherit: a storage of your own is tested by such a file.

    import pytest
    from mypackage import MyStorage
    from sessionctl.testing import StorageContract

    class TestMyStorage(StorageContract):
        @pytest.fixture(autouse=True)
        def _place(self, tmp_path):
            self.place = tmp_path

        def open_storage(self, **options):
            return MyStorage(self.place, **options)

    class TestMyStorageAsync(TestMyStorage):
        asynchronous = True

`SessionContract` asks what every storage can do, one that keeps the session in the cookie included;
`StorageContract` adds what a store of records (`RecordStorage`) promises; `ServerExpiryContract` is for
stores that drop by themselves what has expired. `sessionctl.pytest_plugin` has their failed assertions show
the values.
"""

from sessionctl.testing.clock import Clock
from sessionctl.testing.server_contract import ServerExpiryContract
from sessionctl.testing.session_contract import SessionContract
from sessionctl.testing.storage_contract import StorageContract

__all__ = ["Clock", "ServerExpiryContract", "SessionContract", "StorageContract"]
