#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# test-deb.sh DEB VERSION: run as root in an empty Debian by scripts/check-deb.sh.

DEB=$1
VERSION=$2
# shellcheck source=scripts/test-deb-checks.sh
. "$(dirname "$0")/test-deb-checks.sh"

man_page_tells_commands() {
	page=$(man xpagemap 2>&1)
	for command in summary swap watch; do
		echo "$page" | grep -q "xpagemap $command" || return 1
	done
}
# The shell's own completion of the word `sw`.
bash_completes() {
	bash -c '. /usr/share/bash-completion/completions/xpagemap
		function=$(complete -p xpagemap | sed "s/.*-F \([^ ]*\).*/\1/")
		COMP_WORDS=(xpagemap sw) COMP_CWORD=1
		"$function" xpagemap sw xpagemap
		[ "${COMPREPLY[*]}" = swap ]'
}
tells_a_file() { xpagemap file --totals /etc/os-release | grep -q '^size 1 pages: cached 1 '; }
nothing_is_left() { fails dpkg -s xpagemap && [ -z "$(find /usr /etc -name '*xpagemap*')" ]; }

check "not there before" fails xpagemap --version
check "no manual page before" fails man -w xpagemap
check "apt installs it and what it needs" apt-get install -y --no-install-recommends "$DEB"
check "version" is "$(xpagemap --version 2>&1)" "xpagemap $VERSION"
check "manual page" is "$(man -w xpagemap 2>&1)" /usr/share/man/man8/xpagemap.8.gz
check "manual page tells the commands" man_page_tells_commands
check "bash completes" bash_completes
check "zsh's completion" is "$(head -n 1 /usr/share/zsh/vendor-completions/_xpagemap)" "#compdef xpagemap"
check "fish's completion" grep -q '^complete -c xpagemap' /usr/share/fish/vendor_completions.d/xpagemap.fish
check "licence" grep -q '^License: GPL-2.0-only' /usr/share/doc/xpagemap/copyright
check "licences of the crates" grep -qE '^ +clap [0-9.]+: MIT' /usr/share/doc/xpagemap/copyright
check "files are as they were packed" is "$(dpkg -V xpagemap)" ""
check "it tells what the kernel here knows" tells_a_file
check "apt removes it" apt-get purge -y xpagemap
check "nothing is left" nothing_is_left
echo '# done'
