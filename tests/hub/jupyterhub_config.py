"""The settings of the JupyterHub that the tests start; `hub.py` fills the environment."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from traitlets.config import get_config

told: dict[str, Any] = json.loads(os.environ["STOP_CHAT_HUB"])
binaries = Path(sys.executable).parent

c = get_config()
c.JupyterHub.bind_url = f"http://127.0.0.1:{told['port']}/"
c.JupyterHub.hub_bind_url = f"http://127.0.0.1:{told['hub_port']}"
c.JupyterHub.allow_named_servers = True
c.JupyterHub.cleanup_servers = True
c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{told['api_port']}"
c.ConfigurableHTTPProxy.command = [told["proxy"]]
# No account of this machine is needed, neither to come in nor to have a server.
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = told["password"]
c.Authenticator.allowed_users = set(told["people"])
c.JupyterHub.spawner_class = "simple"
c.SimpleLocalProcessSpawner.home_dir_template = f"{told['homes']}/{{username}}"
c.Spawner.cmd = [str(binaries / "jupyterhub-singleuser")]
c.Spawner.default_url = "/lab"
c.Spawner.environment = told["environment"]
c.Spawner.args = [
    "--allow-root",
    "--LabApp.news_url=",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.JupyterHub.services = [
    {"name": "tests", "api_token": told["token"]},
    {
        "name": "shared-chat",
        "url": f"http://127.0.0.1:{told['service_port']}",
        "command": [*c.Spawner.cmd, f"--config={told['service_config']}", *c.Spawner.args],
        "cwd": str(Path(told["service_config"]).parent),
        "environment": told["environment"] | told["service_environment"],
        "oauth_no_confirm": True,
    },
]
c.JupyterHub.load_roles = [
    {
        "name": "tests",
        "services": ["tests"],
        "scopes": ["admin:users", "admin:servers", "tokens", "access:servers"],
    },
    {"name": "user", "scopes": ["self", "access:services!service=shared-chat"]},
    # An operator may come in at the other's server.
    {"name": "operator", "users": ["ada"], "scopes": ["access:servers!user=ben"]},
]
