# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Debian packages and their dependencies, as far as this machine lacks them, opened into a
# directory of the cache. Sourced by scripts/clients.sh; nothing in the system is touched.

# private_apt DIR STATUS LINE...: sets the caller's `apt` to an apt-get with these sources and a state of its own in
# DIR, and brings its index up to date. STATUS is the file of the packages that count as there.
private_apt() {
	local private=$1 status=$2
	shift 2
	rm -rf "$private"
	mkdir -p "$private"/{lists,archives}/partial
	printf '%s\n' "$@" >"$private/sources.list"
	cp "$status" "$private/status"
	apt=(apt-get -q -o Dir::State="$private" -o Dir::State::Lists="$private/lists"
		-o Dir::State::Status="$private/status" -o Dir::Cache="$private"
		-o Dir::Cache::Archives="$private/archives" -o Dir::Etc::SourceParts=/dev/null
		-o Dir::Etc::SourceList="$private/sources.list" -o Acquire::Languages=none
		-o APT::Sandbox::User="$(id -un)")
	"${apt[@]}" update
}

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# open_packages NAME SUITE STATUS PACKAGE...: prints the directory, $CACHE/clients/NAME.
open_packages() {
	local dir=$CACHE/clients/$1 private=$CACHE/tmp/clients-$1.apt log=$CACHE/log/client-$1.log apt=() deb mirror
	local suite=$2 status=$3
	shift 3
	echo "$dir"
	[ "$(cat "$dir/.packages" 2>/dev/null)" != "$suite $*" ] || return 0
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || return 1
	rm -rf "$dir"
	mkdir -p "$dir"
	work "index for $1" "$log" private_apt "$private" "$status" "deb [signed-by=$KEYRING] $mirror $suite main" \
		"deb [signed-by=$KEYRING] $mirror-security $suite-security main" || return 1
	work "download $*" "$log" \
		"${apt[@]}" install -y --no-install-recommends --download-only "$@" || return 1
	for deb in "$private"/archives/*.deb; do
		dpkg-deb -x "$deb" "$dir" || return 1
		# shellcheck disable=SC2016 # for dpkg-deb to expand
		dpkg-deb -W --showformat='${Package} ${Version}\n' "$deb" >>"$dir/.versions"
	done
	rm -rf "$private"
	echo "$suite $*" >"$dir/.packages"
}

# client_source NAME SUITE PACKAGE PATCH...: the source of a package as its authors released it, with these patches;
# prints its directory, in which .patched says that it is whole.
client_source() {
	local dir=$CACHE/clients/$1 private=$CACHE/tmp/clients-$1.apt log=$CACHE/log/client-$1.log apt=() patch mirror
	local suite=$2 package=$3 key
	shift 3
	echo "$dir"
	key="$suite $(cat "$@" | sha256sum)"
	[ "$(cat "$dir/.patched" 2>/dev/null)" != "$key" ] || return 0
	mirror=$(debian_mirror)
	[ -n "$mirror" ] || return 1
	rm -rf "$dir"
	mkdir -p "$dir"
	work "index for the source of $package" "$log" private_apt "$private" /dev/null \
		"deb-src [signed-by=$KEYRING] $mirror $suite main" || return 1
	(cd "$private" && work "download the source of $package" "$log" "${apt[@]}" source --tar-only "$package") || return 1
	tar -xf "$private/${package}_"*.orig.tar.* -C "$dir" --strip-components=1 || return 1
	for patch; do
		work "apply $(basename "$patch")" "$log" patch -d "$dir" -p1 -F0 -i "$patch" || return 1
	done
	rm -rf "$private"
	echo "$key" >"$dir/.patched"
}

# client_packages NAME PACKAGE...: of this machine's release.
client_packages() {
	local name=$1
	shift
	open_packages "$name" "$(debian_codename)" /var/lib/dpkg/status "$@"
}

# client_suite NAME SUITE PACKAGE...: of another release, with all that they need, its C library included: nothing of
# this machine counts as there. `client_loader` runs its programs.
client_suite() {
	local name=$1 suite=$2
	shift 2
	open_packages "$name" "$suite" /dev/null "$@"
}

# client_loader DIR: the dynamic linker of what client_suite opened, with its options.
client_loader() {
	local libraries
	libraries=$(find "$1/usr/lib" -maxdepth 1 -name '*-linux-gnu')
	echo "$(find "$libraries" -maxdepth 1 -name 'ld-linux-*.so.*')" --library-path "$libraries"
}

# client_python PACKAGE VERSION: an environment with a package of PyPI; prints its directory.
client_python() {
	local dir=$CACHE/clients/$1-$2
	echo "$dir"
	[ ! -e "$dir/.done" ] || return 0
	rm -rf "$dir"
	work "install $1 $2" "$CACHE/log/client-$1.log" "$PYTHON" -m venv "$dir" || return 1
	work "download $1 $2" "$CACHE/log/client-$1.log" \
		"$dir/bin/pip" install --disable-pip-version-check "$1==$2" || return 1
	touch "$dir/.done"
}

# client_version NAME PACKAGE: the version that was opened, or that of the system's own package.
client_version() {
	sed -n "s/^$2 //p" "$CACHE/clients/$1/.versions" 2>/dev/null | grep . ||
		dpkg-query -W --showformat='${Version}\n' "$2"
}

# client_libraries DIR: what LD_LIBRARY_PATH has to be for its programs.
client_libraries() { find "$1" -name '*.so*' -printf '%h\n' 2>/dev/null | sort -u | paste -sd:; }
