# SPDX-License-Identifier: GPL-2.0
#
# Each target sets up what it needs, and calls a script of scripts/ or qemu/.

# A plain path, so that the kernel's own build, which reads the Kbuild file
# beside this one, is called from here and never the other way round.
ROOT := $(patsubst %/,%,$(dir $(abspath $(lastword $(MAKEFILE_LIST)))))
KERNEL_TREE ?= build/linux
TESTS ?=
export TESTS

LLVM ?= -22
RUSTC ?= /usr/bin/rustc
CARGO ?= /usr/bin/cargo
export LLVM RUSTC CARGO
export XPAGEMAP_START := $(shell date +%s)

MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help demo check test check-debug check-upstream check-series check-clients check-deb deb deb-kernel bench pictures shell lint rust-analyzer module install kernel-tree \
	patches post deps kernel tools examples clean distclean

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1 \2/p' $(MAKEFILE_LIST) | \
		while read -r name text; do printf '  %-14s %s\n' "$$name" "$$text"; done

demo: kernel tools ## boot the patched kernel and locate swapped-out shared pages, from an empty machine on
	@qemu/run.sh --verbose --kernel patched -- build/tools/release/xpagemap demo

check: ## boot the patched kernel, run every test (TESTS="shmem memfd" to choose)
	@scripts/check.sh

test: ## one guest, one program or test: T=memfd.every_page_swapped, KERNEL=debug
	@KERNEL=$(KERNEL) scripts/test.sh $(T)

check-debug: ## the same tests on the debug kernel: KASAN, lockdep, kmemleak, ...
	@scripts/check-debug.sh

check-upstream: ## the kernel's own mm selftests give the same results on stock and patched
	@scripts/upstream.sh

check-series: ## build and boot a kernel after each patch of each series: SERIES=1-fixes, FROM=2; APPLY=1: no build
	@SERIES=$(SERIES) FROM=$(FROM) scripts/each.sh $(if $(APPLY),--apply)

check-clients: ## programs that others wrote, as judges and users (CLIENTS="drgn redis" to choose): Documentation/clients.md
	@CLIENTS="$(CLIENTS)" scripts/clients.sh

check-deb: deps ## install the packages of `make deb` and `make deb-kernel` in an empty Debian 12, boot it, remove them
	@scripts/check-deb.sh

pictures: kernel tools ## draw the pictures of README.md, Documentation/*.svg
	@scripts/pictures.sh

bench: ## measure readers in instructions: tables, build/bench.json (TESTS=bench_save to choose; QUICK=1)
	@scripts/bench.sh

shell: kernel tools ## an interactive shell in the guest, module loaded
	@qemu/run.sh --kernel $(or $(KERNEL),patched) --shell

lint: ## rustfmt, clippy, checkpatch, shellcheck; words, layout, series
	@scripts/lint.sh

rust-analyzer: ## write rust-project.json, for editors
	@scripts/analyzer.sh

module: ## build the module for another patched kernel: KDIR=DIR, its build directory
	@test -n "$(KDIR)" || { echo 'module: KDIR=DIR, the build directory of a patched kernel' >&2; exit 2; }
	$(MAKE) -C $(KDIR) M=$(ROOT) MO=$(ROOT)/build/module LLVM=$(LLVM) RUSTC=$(RUSTC) modules

install: module ## install that module: KDIR=DIR, INSTALL_MOD_PATH= for another root
	$(MAKE) -C $(KDIR) M=$(ROOT) MO=$(ROOT)/build/module LLVM=$(LLVM) RUSTC=$(RUSTC) modules_install

kernel-tree: ## a git tree with the patches as commits, a branch for each series: KERNEL_TREE=build/linux
	@scripts/series.sh tree $(KERNEL_TREE)

patches: ## that tree's commits, back as patches/*/
	@scripts/series.sh export $(KERNEL_TREE)

post: ## write the mails of one series, SERIES=1-fixes, to build/post/: sends nothing
	@scripts/post.sh $(SERIES)

deps: ## install what is missing: packages, bindgen, virtme-ng
	@scripts/deps.sh

kernel: deps ## build a kernel and its module: KERNEL=patched, stock or debug
	@qemu/build.sh $(or $(KERNEL),patched)

tools: deps ## build the command line, build/tools/release/xpagemap
	@scripts/tools.sh

deb: deps ## a Debian package of the command line, with completions and manual page, in build/deb/
	@scripts/deb.sh

deb-kernel: deps ## Debian packages of the patched kernel and the module, in build/deb/: CONFIG=FILE, default the guest's
	@CONFIG="$(CONFIG)" scripts/deb-kernel.sh

examples: deps ## build examples/: pages of shared memory that a checkpoint must save
	@scripts/examples.sh

clean: ## remove build/, but for KERNEL_TREE
	@test ! -e build || find build -mindepth 1 -maxdepth 1 ! -name linux -exec rm -rf {} +

distclean: clean ## also remove the cache: sources, kernels, bindgen, virtme-ng
	rm -rf "$${XPAGEMAP_CACHE:-$${XDG_CACHE_HOME:-$$HOME/.cache}/xpagemap}"
