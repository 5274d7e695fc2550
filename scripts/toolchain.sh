# The Go that releases are built with; deploy/Dockerfile names the same. It is
# newer than what the modules ask for where a fix in the standard library counts.
release_toolchain=go1.26.10
