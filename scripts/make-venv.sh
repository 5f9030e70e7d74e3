#!/bin/sh
# Make a virtual environment; on a bare Debian, python3-venv may have to come first.
# usage: make-venv.sh PYTHON FOLDER
set -eu
python=$1
folder=$2
if [ -x "$folder/bin/pip" ]; then exit 0; fi
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "Python 3.11 or later is needed; set PYTHON to name it." >&2
  exit 1
fi
if "$python" -m venv "$folder"; then exit 0; fi
rm -rf "$folder"
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq python3-venv
  exec "$python" -m venv "$folder"
fi
echo "This Python cannot make a virtual environment: install the package python3-venv." >&2
exit 1
