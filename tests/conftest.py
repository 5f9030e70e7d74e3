"""What every test has at hand."""

pytest_plugins = ["pytest_jupyter.jupyter_server"]
