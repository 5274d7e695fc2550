#!/bin/sh
# Installs the jars of a real Kafka broker, which tests start by themselves.
#
#   scripts/kafka.sh install   copy the jars into the cache, once
#   scripts/kafka.sh where     print the folder they are in
set -eu

root=$(cd "$(dirname "$0")/.." && pwd)
pom=$root/deploy/kafka/pom.xml
version=$(sed -n 's:.*<kafka.version>\(.*\)</kafka.version>.*:\1:p' "$pom")
# An own cache holds more than Kafka; the default is a folder of this checkout.
if [ -n "${PLUMBLINE_CACHE:-}" ]; then cache=$PLUMBLINE_CACHE/kafka; else cache=$root/.cache/kafka; fi
libs=$cache/$version

need() {
	command -v "$1" >/dev/null 2>&1 || { echo "kafka: $1 is missing; $2" >&2; exit 1; }
}

install() {
	if [ -d "$libs" ]; then
		echo "kafka: $version is already installed"
		return
	fi
	need java "install a Java runtime, 17 or newer"
	need mvn "install Maven 3.8 or newer"
	echo "kafka: fetching the jars of Kafka $version with Maven (about 100 MB, once)"
	# Copied aside and renamed, so that an interrupted install is never taken for a whole one.
	mkdir -p "$cache"
	part=$(mktemp -d "$cache/.part.XXXXXX")
	trap 'rm -rf "$part"' EXIT
	mvn -B -q -f "$pom" dependency:copy-dependencies \
		-DincludeScope=runtime -DoutputDirectory="$part"
	mv "$part" "$libs"
	trap - EXIT
	echo "kafka: $version is ready ($(find "$libs" -name '*.jar' | wc -l | tr -d ' ') jars)"
}

case ${1:-} in
install) install ;;
where) echo "$libs" ;;
*)
	echo "usage: scripts/kafka.sh install|where" >&2
	exit 2
	;;
esac
