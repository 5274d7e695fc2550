#!/usr/bin/env bash
# Prints the table of docs/adr/0002, and fails if a codec loses a field.
set -euo pipefail
cd "$(dirname "$0")"
WIRE_TABLE=1 GOWORK=off go test -count=1 -timeout 5m -v -run 'RoundTrip|Table' .
