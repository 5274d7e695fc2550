#!/usr/bin/env bash
# Prints every module the binary is made of, its version, and the licence it comes with.
set -euo pipefail
cd "$(dirname "$0")/../services"
GOWORK=off go list -deps -f '{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}' ./cmd/plumbline | sort -u |
	while read -r path version dir; do
		case $path in plumbline.dev/*) continue ;; esac
		file=$(find "$dir" -maxdepth 1 -iname 'licen[cs]e*' -o -maxdepth 1 -iname 'copying*' | sort | head -1)
		name=unknown
		if [ -n "$file" ]; then
			text=$(tr '\n' ' ' <"$file" | tr -s ' ')
			case $text in
			*"Apache License"*"ersion 2.0"*) name=Apache-2.0 ;;
			*"Mozilla Public License"*"2.0"*) name=MPL-2.0 ;;
			*"Permission is hereby granted, free of charge"*) name=MIT ;;
			*"Permission to use, copy, modify, and"*"distribute this software"*) name=ISC ;;
			*"Neither the name"*) name=BSD-3-Clause ;;
			*"Redistribution and use in source and binary forms"*) name=BSD-2-Clause ;;
			*"GNU LESSER GENERAL PUBLIC"*) name=LGPL ;;
			*"GNU GENERAL PUBLIC"* | *"GNU AFFERO"*) name=GPL ;;
			esac
		fi
		printf '%-60s %-50s %s\n' "$path" "$version" "$name"
	done
