#!/bin/sh
# Make sure that the browser tests have a Chromium: Debian's, else Playwright's own. Best is the
# one without windows, which Playwright takes of its own as well: what the whole one does beside
# showing a page is a sixth of what it computes.
# usage: ensure-chromium.sh FOLDER_OF_PLAYWRIGHT
set -eu
shell=chromium-headless-shell
if command -v $shell >/dev/null; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  install="apt-get install -y -qq -o DPkg::Lock::Timeout=300 $shell"
  if $install 2>/dev/null || { apt-get update -qq && $install; }; then exit 0; fi
fi
if command -v chromium >/dev/null; then exit 0; fi
if "$1/playwright" install chromium; then exit 0; fi
echo "The browser tests need Chromium: install your system's, as a program named chromium." >&2
exit 1
