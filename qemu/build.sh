#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# qemu/build.sh VARIANT: builds a kernel (stock, patched, debug, rfc) and its module,
# if it has one, unless they are up to date: build/VARIANT/bzImage and xpagemap.ko.
# --kdir VARIANT prints the kernel's build directory instead, --source VARIANT its
# source tree.

# shellcheck source=scripts/common.sh
. "$(dirname "$0")/../scripts/common.sh"
# shellcheck source=scripts/patches.sh
. "$SCRIPTS/patches.sh"

MODE=build
case ${1:-} in --kdir | --source) MODE=${1#--}; shift ;; esac
VARIANT=${1:?which kernel: stock, patched, debug or rfc}
check_variant "$VARIANT"
OUT=$BUILD/$VARIANT
mapfile -t FRAGMENTS < <(variant_fragments "$VARIANT")
mapfile -t PATCHES < <(variant_patches "$VARIANT")
mapfile -t MAKE_ARGS < <(kernel_make_args)

[ "$VARIANT" != rfc ] || [ ${#PATCHES[@]} -gt 0 ] || die "no patches/rfc/series, so no rfc kernel"

# A hash of everything that goes into a kernel.
kernel_key() {
	{
		cat "$SOURCE/origin" "$QEMU_DIR/configure.sh" "${FRAGMENTS[@]}" "${PATCHES[@]}"
		compiler_versions
	} 2>&1 | sha256sum | cut -d' ' -f1
}

module_key() {
	{
		echo "$KEY"
		cd "$ROOT"
		find Kbuild src selftests/breaker -type f | sort | xargs sha256sum
	} | sha256sum | cut -d' ' -f1
}

has_module() {
	case $VARIANT in
	patched | debug) [ -e "$ROOT/src/xpagemap_main.rs" ] ;;
	*) false ;;
	esac
}

same() { [ -e "$1" ] && [ "$(cat "$1")" = "$2" ]; }

# The kernels rfc and each differ from stock in few files: they begin with stock's
# objects, so that make builds just the objects that depend on those.
begin_with_stock() {
	case $VARIANT in rfc | each) ;; *) return 0 ;; esac
	[ ! -e "$KDIR/.config" ] || return 0
	"$QEMU_DIR/build.sh" stock
	(
		lock stock
		copy_objects "$SOURCE/stock" "$SOURCE/$VARIANT"
	)
	# Files that differ must be newer than stock's objects.
	(cd "$SOURCE/$VARIANT" && xargs -r touch -c <"$SOURCE/$VARIANT.touched")
}

build_kernel() {
	begin_with_stock
	kernel_build_args
	rm -f "$KDIR/.key"
	"$QEMU_DIR/configure.sh" "$KDIR" "${FRAGMENTS[@]}"
	work "build the $VARIANT kernel" "$CACHE/log/build-$VARIANT.log" \
		make -C "$KDIR" -j "$(nproc)" "${KBUILD_ARGS[@]}" bzImage modules
	echo "$KEY" >"$KDIR/.key"
}

# make_module NAME DIR KO: builds the module in DIR for this kernel; KO is its file.
make_module() {
	local name=$1 dir=$2 built=$BUILD/$1-$VARIANT/$3
	work "build the $name for $VARIANT" "$BUILD/log/$name-$VARIANT.log" \
		make -C "$KDIR" -j "$(nproc)" "${MAKE_ARGS[@]}" M="$dir" MO="$BUILD/$name-$VARIANT" modules
	install -m 644 "$built" "$OUT/$(basename "$3").new"
	mv "$OUT/$(basename "$3").new" "$OUT/$(basename "$3")"
}

build_module() {
	make_module module "$ROOT" src/xpagemap.ko
	make_module breaker "$ROOT/selftests/breaker" breaker.ko
	echo "$MODULE_KEY" >"$OUT/module.key"
}

# Replaces the files: a guest may be running from the old ones.
take_kernel() {
	local file
	mkdir -p "$OUT"
	for file in arch/x86/boot/bzImage System.map .config; do
		cp "$KDIR/$file" "$OUT/new"
		mv "$OUT/new" "$OUT/$(basename "$file")"
	done
	echo "$KEY" >"$OUT/key"
}

"$SCRIPTS/deps.sh"
"$SCRIPTS/fetch.sh" >/dev/null
SOURCE=$(source_dir)
KDIR=$SOURCE/$VARIANT/build-$VARIANT
case $MODE in
kdir) echo "$KDIR"; exit ;;
source) echo "$SOURCE/$VARIANT"; exit ;;
esac

KEY=$(kernel_key)
MODULE_KEY=$(module_key)
current() { same "$OUT/key" "$KEY" && { ! has_module || same "$OUT/module.key" "$MODULE_KEY"; }; }

if ! current; then
	lock "$VARIANT"
	if ! same "$OUT/key" "$KEY" || ! same "$KDIR/.key" "$KEY"; then
		"$QEMU_DIR/tree.sh" "$VARIANT" >/dev/null
		same "$KDIR/.key" "$KEY" || build_kernel
		take_kernel
	fi
	if has_module; then
		build_module
	else
		rm -f "$OUT/xpagemap.ko" "$OUT/module.key"
	fi
fi
