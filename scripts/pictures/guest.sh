#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the guest, for scripts/pictures.sh: guest.sh DIRECTORY PYTHON TMUX. Writes plot.svg, and screen,
# the text of the screen of `xpagemap watch` with its colours.

set -euo pipefail
here=$(dirname "$(realpath "$0")")
xpagemap=$here/../../build/tools/release/xpagemap
cd "$1"
program=$3
tmux() { "$program" -L pictures "$@"; }

coproc subject { exec "$2" "$here/subject.py"; }
read -r first _ <&"${subject[0]}"
# shellcheck disable=SC2154 # coproc assigns it
process=$subject_PID
"$xpagemap" plot "$process" -o plot.svg

export TERM=xterm-256color LC_ALL=C.UTF-8
tmux new-session -d -x 80 -y 24 "$xpagemap watch $process"
# A pass that goes on has a percentage in the first line.
for _ in $(seq 300); do
	tmux capture-pane -p >text
	! grep -q ' a cell, rows' text || head -n 1 text | grep -q ' %' || break
	sleep 0.1
done
# The whole address space has more than the screen: scrolls to the subject's memory.
for _ in $(seq 200); do
	! grep -q "^ *$first " text || break
	tmux send-keys j
	sleep 0.2
	tmux capture-pane -p >text
done
tmux capture-pane -p -e >screen
tmux send-keys q
kill "$process"
cat text
