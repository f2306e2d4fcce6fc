# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# CRIU with the patch of examples/criu/, built from the source of the same release with this machine's compiler and
# libraries of packages in the cache. Sourced by scripts/clients/criu.sh.

# criu_patched SUITE: prints the command, as words, but for what has to be preloaded.
criu_patched() {
	local libraries root source
	source=$(client_source criu-source "$1" criu "$ROOT"/examples/criu/*.patch) || return 1
	root=$(client_packages criu-build libprotobuf-c-dev protobuf-c-compiler protobuf-compiler libprotobuf-dev \
		libnl-3-dev libcap-dev libnet1-dev uuid-dev pkgconf) || return 1
	libraries=$(client_libraries "$root")
	if [ ! -e "$source/.built" ]; then
		# The source has a link to the system's own.
		ln -sf "$root/usr/include/google/protobuf/descriptor.proto" "$source/images/google/protobuf/descriptor.proto"
		# No pkg-config: libraries that this machine happens to have change nothing.
		work "build CRIU with the patch" "$CACHE/log/client-criu-build.log" \
			env "PATH=$root/usr/bin:$PATH" "LD_LIBRARY_PATH=$libraries" "LIBRARY_PATH=$libraries" \
			"C_INCLUDE_PATH=$root/usr/include:$root/usr/include/libnl3" PKG_CONFIG=false \
			make -C "$source" -j "$(nproc)" criu || return 1
		touch "$source/.built"
	fi
	echo "env LD_LIBRARY_PATH=$libraries $source/criu/criu"
}
