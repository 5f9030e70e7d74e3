#!/bin/sh
# Make sure that the tests have a PostgreSQL and a Redis to start; none is started here.
set -eu

missing() {
  if ! command -v initdb >/dev/null && ! ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; then
    echo postgresql
  fi
  if ! command -v redis-server >/dev/null; then echo redis-server; fi
}

packages=$(missing)
if [ -z "$packages" ]; then exit 0; fi
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  # Debian starts what it installs, unless this forbids it.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then
    trap 'rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod +x "$policy"
  fi
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  if apt-get update -qq && apt-get install -y -qq -o DPkg::Lock::Timeout=300 $packages; then
    exit 0
  fi
fi
echo "*** NOT TESTED, for they are not here: $(echo $packages). Install them to test all. ***" >&2
exit 1
