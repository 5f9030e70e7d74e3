#!/bin/sh
# Make sure that the browser tests have a Chromium: Debian's, else Playwright's own.
# usage: ensure-chromium.sh FOLDER_OF_PLAYWRIGHT
set -eu
if command -v chromium >/dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && apt-get install -y -qq chromium && exit 0
fi
if "$1/playwright" install chromium; then exit 0; fi
echo "The browser tests need Chromium: install your system's, as a program named chromium." >&2
exit 1
