#!/usr/bin/env bash
# Makes dist/plumbline-VERSION-OS-ARCH.tar.gz: the static binary, units, an example configuration, licences, checksums.
#   scripts/release.sh VERSION [OS/ARCH ...]     default: linux/amd64 linux/arm64
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/toolchain.sh
export GOTOOLCHAIN=$release_toolchain
version=${1:?usage: scripts/release.sh VERSION [OS/ARCH ...]}
[[ $version =~ ^v?[0-9A-Za-z.+-]+$ ]] || { echo "release: $version is no version" >&2; exit 2; }
shift
[ $# -gt 0 ] || set -- linux/amd64 linux/arm64
dist=${DIST:-dist}
mkdir -p "$dist"
licences=$(mktemp)
trap 'rm -rf "$licences" "${stage:-}"' EXIT
scripts/licences.sh >"$licences"
for target in "$@"; do
	os=${target%/*} arch=${target#*/} name=plumbline-$version-$os-$arch
	stage=$(mktemp -d)
	mkdir -p "$stage/$name"
	CGO_ENABLED=0 GOOS=$os GOARCH=$arch go build -trimpath -ldflags "-s -w" -o "$stage/$name/plumbline" ./services/cmd/plumbline
	cp -r deploy/systemd README.md docs/CHANGELOG.md "$stage/$name/"
	cp deploy/compose/plumbline.yaml "$stage/$name/plumbline.example.yaml"
	cp "$licences" "$stage/$name/LICENCES.txt"
	# Same input, same archive: names sorted, no owner, the commit's time.
	tar --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$(git log -1 --format=%ct)" -C "$stage" -cf - "$name" | gzip -n >"$dist/$name.tar.gz"
	rm -rf "$stage"
	(cd "$dist" && sha256sum "$name.tar.gz" >"$name.tar.gz.sha256")
	echo "$dist/$name.tar.gz"
done
