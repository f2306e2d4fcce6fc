/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's harness, with a time limit per test that is long enough for a debug kernel
 * under software emulation.
 */
#ifndef SELFTESTS_HARNESS_H
#define SELFTESTS_HARNESS_H

#include "kselftest_harness.h"

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 600

/*
 * In a set-up: the teardown runs even if the rest of the set-up fails. For fixtures whose
 * changes outlive the test; their teardown runs in the parent, and must not rely on any
 * step of the set-up.
 */
#define TEARDOWN_FROM_HERE() (*_metadata->no_teardown = false)

#endif
